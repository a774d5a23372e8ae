"""The paper "Enhancing Classical Music Generation with RNN" (Sokolov, Prasad, Liu, Keller; 2016).

Rooms, from the ground up; each imports only from those above it in this list:

- ``base``: files, errors, processes, progress, seeds
- ``music``: MIDI and scores to arrays and back, keys, bars, transforms (section 2.2)
- ``listening``: piano sound of notes, players with a moving piano roll
- ``corpus``: levels, main and held-out pieces, and batches of them (2.1)
- ``models``: the LSTM, the biaxial RNN, the RBMs (2.4)
- ``training``: the curriculum (2.3), the loop, runs on disk
- ``composing``: pieces, and folders of them
- ``metrics``: ISL and what repairs it (2.5, 3); it needs ``base`` and ``music`` alone
- ``mending``: the RBM slid over music, and what mends it (2.4.3)
- ``exploring``: composing with shipped or trained weights, from Python, notebooks and widgets
- ``paper``: profiles, experiments, figures, results
- ``cli``: ``python -m musiclib``
"""

__version__ = "0.3.0"
