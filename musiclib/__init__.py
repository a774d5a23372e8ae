"""The paper "Enhancing Classical Music Generation with RNN" (Sokolov, Prasad, Liu, Keller; 2016).

Where things are:

- ``midi``, ``piano_roll``, ``scores``: files to arrays and back
- ``keys``, ``transforms``, ``features``: what is done to the arrays (section 2.2)
- ``corpus``, ``sources``, ``leaks``, ``difficulty``: which music is trained on, and held out (2.1)
- ``models.lstm``, ``models.biaxial``, ``models.cells``: the two networks (section 2.4)
- ``curriculum``, ``batches``, ``training``, ``runs``: how they are trained (section 2.3)
- ``composing``, ``coins``, ``compositions``: how they compose, and into which folders
- ``without_learning``: whether a network learned; ``plateau``, ``beginnings``: why one may not
- ``cadences``: endings on the tonic (section 4)
- ``models.fast_steps``, ``models.note_loop``, ``memory``: what makes it fast
- ``models.rbm``, ``partition``, ``windowed``: the RBM of windows, as published (section 2.4.3)
- ``models.conditional_rbm``, ``recall``, ``mending``, ``postprocessing``: an RBM that mends
- ``notes``, ``restoration``, ``trials``: notes as lists; music spoiled, to try what mends it
- ``measures``, ``isl``, ``pca``: how their music is judged (sections 2.5 and 3)
- ``bits_saved``, ``mixture``, ``bootstrap``: the measure that repairs ISL, and its intervals
- ``two_sample``, ``precision_recall``, ``plagiarism``, ``evaluation``: what else can be asked of it
- ``controls``: music made worse in known ways, to judge the judges
- ``profiles``, ``study``, ``curves``, ``figures``, ``results``, ``published``: the paper's numbers
- ``listening``: music as sound, for the notebooks
- ``cli``, ``notebooks``, ``readme``: what `make` and people run
- ``files``, ``parallel``, ``errors``: safe writing, processes, messages
- ``progress``, ``wall_time``: what long work tells, and where the time went
"""

__version__ = "0.3.0"
