"""The paper "Enhancing Classical Music Generation with RNN" (Sokolov, Prasad, Liu, Keller; 2016).

Where things are:

- ``midi``, ``piano_roll``, ``scores``: files to arrays and back
- ``keys``, ``transforms``, ``features``: what is done to the arrays (section 2.2)
- ``corpus``, ``sources``, ``leaks``: which music is trained on, which is held out (section 2.1)
- ``models.lstm``, ``models.biaxial``: the two networks (section 2.4)
- ``curriculum``, ``batches``, ``training``, ``runs``: how they are trained (section 2.3)
- ``composing``: how they compose
- ``measures``, ``isl``, ``pca``: how their music is judged (sections 2.5 and 3)
- ``profiles``, ``study``, ``figures``, ``results``: how the notebooks reproduce the paper
"""

__version__ = "0.1.0"
