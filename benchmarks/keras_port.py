"""The same networks in Keras: a rival where it is installed. It needs no musiclib.

Features come ready-made, which favours it.
"""

import resource

import keras
import numpy as np
from keras import layers
from rivals import serve


def biaxial(batch: int, steps: int, time: list[int], notes: list[int]):  # noqa: ANN201
    """A training iteration of the biaxial RNN on random music."""
    steps -= 1  # the last step is only predicted
    heard = keras.Input((steps, 78, 80), batch_size=batch)
    below = keras.Input((steps, 78, 2), batch_size=batch)
    x = keras.ops.reshape(keras.ops.transpose(heard, (0, 2, 1, 3)), (batch * 78, steps, 80))
    for size in time:
        x = layers.Dropout(0.5, noise_shape=(batch * 78, 1, size))(
            layers.LSTM(size, return_sequences=True)(x)
        )
    x = keras.ops.reshape(x, (batch, 78, steps, time[-1]))
    x = keras.ops.concatenate([keras.ops.transpose(x, (0, 2, 1, 3)), below], axis=-1)
    x = keras.ops.reshape(x, (batch * steps, 78, time[-1] + 2))
    for size in notes:
        x = layers.Dropout(0.5, noise_shape=(batch * steps, 1, size))(
            layers.LSTM(size, return_sequences=True)(x)
        )
    x = keras.ops.reshape(layers.Dense(2, activation="sigmoid")(x), (batch, steps, 78, 2))
    model = keras.Model([heard, below], x)
    optimizer = keras.optimizers.Adadelta(1.0, rho=0.95, epsilon=1e-6, clipnorm=5.0)
    model.compile(optimizer, "binary_crossentropy")
    music = (np.random.default_rng(0).random((batch, steps, 78, 82)) < 0.05).astype("float32")
    return lambda: model.train_on_batch([music[..., :80], music[..., 80:]], music[..., 80:])


def lstm(hidden: int, batch: int, window: int):  # noqa: ANN201
    """A training iteration of the baseline on random music."""
    roll = keras.Input((window, 88), batch_size=batch)
    x = layers.LSTM(hidden, return_sequences=True, stateful=True)(roll)
    x = layers.LSTM(hidden, stateful=True)(layers.Dropout(0.2)(x))
    model = keras.Model(roll, layers.Dense(88, activation="sigmoid")(x))
    model.compile(keras.optimizers.RMSprop(0.001), "categorical_crossentropy")
    music = (np.random.default_rng(0).random((batch, window + 1, 88)) < 0.05).astype("float32")
    return lambda: model.train_on_batch(music[:, :-1], music[:, -1])


if __name__ == "__main__":
    serve(
        {"biaxial": biaxial, "lstm": lstm},
        peak=lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    )
