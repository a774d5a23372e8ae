"""Music as sound: the right pitch at the right time, silence in rests, the same bytes each time."""

import hashlib
import io
import os
import subprocess
import sys

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import given
from strategies import hand_states, legal_states, note_list, random_states
from test_docs import run_page

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.listening import encoding, sound_font, voices
from musiclib.listening.sound import (
    RATE,
    RELEASE,
    TAIL,
    encoded,
    kind_of,
    sound,
    sound_of_midi,
    write_sound,
)
from musiclib.music.midi_events import MidiError
from musiclib.music.note_states import TEMPO, write_note_states

STEP = TEMPO / 1e6 / 4  # seconds
HOP = RATE // 200  # samples, 5 ms
MELODY = [(60, 2, 4), (60, 6, 2), (60, 8, 1), (60, 9, 1), (67, 12, 4), (72, 16, 2), (48, 20, 8)]


@pytest.fixture(params=["piano", "sine waves"])
def instrument(request, monkeypatch):
    """Both voices keep all promises."""
    if request.param == "sine waves":
        monkeypatch.setattr(sound_font, "NAME", "missing.sf2")
    voices.voice.cache_clear()
    yield request.param
    voices.voice.cache_clear()


def onsets_heard(samples):
    """Seconds at which the energy of 10 ms rises by 4 dB and more within 10 ms."""
    padded = np.concatenate([np.zeros(2 * HOP), samples])
    energy = np.convolve(padded**2, np.ones(2 * HOP))[2 * HOP - 1 :: HOP]
    level = 10 * np.log10(energy + 1e-5)
    rise = level[2:] - level[:-2]
    heard = []
    for frame in np.argsort(-rise):
        if rise[frame] < 4:
            break
        if all(abs(frame - other) > 12 for other in heard):
            heard.append(int(frame))
    return (np.sort(heard) + 1) * HOP / RATE


def frequency_of(samples, near):
    """The strongest frequency within a semitone of one, to a fraction of a hertz."""
    size = 1 << 18
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    spectrum[np.abs(np.log2(np.maximum(frequencies, 1) / near)) > 1 / 12] = 0
    return frequencies[spectrum.argmax()]


def test_the_piano_is_heard_where_pretty_midi_is():
    assert voices.voice() is not voices.sine_waves


@pytest.mark.parametrize("pitch", [24, 29, 40, 47, 55, 60, 64, 69, 76, 81, 88, 95, 101])
def test_a_note_has_its_pitch(instrument, pitch):
    samples = sound(hand_states(32, (pitch, 8, 8)))
    assert np.abs(samples[: int(8 * STEP * RATE)]).max() == 0
    harmonic = 2 if pitch < 36 else 1  # the font's lowest fundamentals are faint
    true = 440 * 2 ** ((pitch - 69) / 12) * harmonic
    heard = frequency_of(samples[int(8 * STEP * RATE) : int(16 * STEP * RATE)], true)
    assert abs(1200 * np.log2(heard / true)) < 12


def test_two_notes_are_two_frequencies(instrument):
    samples = sound(hand_states(16, (57, 0, 16), (69, 0, 16)))
    spectrum = np.abs(np.fft.rfft(samples))
    for frequency in (220, 440):
        peak = round(frequency * len(samples) / RATE)
        assert spectrum[peak - 2 : peak + 3].max() > 20 * np.median(spectrum)


def test_notes_are_heard_when_they_are_struck_and_again_when_they_are_repeated(instrument):
    heard = onsets_heard(sound(hand_states(32, *MELODY)))
    expected = [first * STEP for _, first, _ in MELODY]
    assert len(heard) == len(expected)
    np.testing.assert_allclose(heard, expected, atol=0.02)


@pytest.mark.parametrize("pitch", range(33, 102, 4))
@pytest.mark.parametrize("steps", [2, 8])
def test_a_repeated_note_is_heard_once_a_strike(instrument, pitch, steps):
    first = range(4, 36, steps)
    heard = onsets_heard(sound(hand_states(40, *[(pitch, at, steps) for at in first])))
    np.testing.assert_allclose(heard, np.array(first) * STEP, atol=0.02)


def test_the_tempo_moves_the_onsets():
    heard = onsets_heard(sound(hand_states(32, *MELODY), tempo=2 * TEMPO))
    np.testing.assert_allclose(heard, [2 * first * STEP for _, first, _ in MELODY], atol=0.02)


def test_chords_over_held_notes_are_heard(instrument):
    chords = [(pitch, first, 4) for first in range(0, 32, 4) for pitch in (64, 67, 72)]
    heard = onsets_heard(sound(hand_states(32, (43, 0, 32), *chords)))
    np.testing.assert_allclose(heard, np.arange(0, 32, 4) * STEP, atol=0.02)


@given(legal_states(min_steps=1, max_steps=40))
def test_rests_are_silent_and_music_is_not(states):
    samples = sound(states)
    assert samples.dtype == np.float32 and np.isfinite(samples).all()
    assert len(samples) == round((len(states) * STEP + TAIL) * RATE)
    allowed = np.zeros(len(samples), bool)
    for onset, end, _ in note_list(states):
        allowed[round(onset * STEP * RATE) : round((end * STEP + RELEASE) * RATE)] = True
    assert not samples[~allowed].any()
    assert not states.any() or 0.3 < np.abs(samples).max() < 1


def test_silence_is_silence(instrument):
    samples = sound(np.zeros((16, 78, 2), np.uint8))
    assert len(samples) and not samples.any()
    decoded, _ = soundfile.read(io.BytesIO(encoded(samples)))
    assert np.abs(decoded).max() < 1e-4


def test_one_step_and_all_keys_at_once_keep_their_peaks(instrument):
    for states in (
        hand_states(1, (60, 0, 1)),
        hand_states(16, (24, 0, 16)),
        hand_states(16, (101, 0, 16)),
        np.ones((32, 78, 2), np.uint8),
    ):
        samples = sound(states)
        assert 0.3 < np.abs(samples).max() < 1
        assert not samples[-int((TAIL - RELEASE) * RATE) + 1 :].any()


def test_sparse_and_dense_music_are_equally_loud():
    def loudness(states):
        blocks = sound(states)[: len(states) * 2750].reshape(-1, 2750)
        power = (blocks.astype(float) ** 2).mean(axis=1)
        return 10 * np.log10(np.sort(power)[len(power) // 2 :].mean())

    sparse = hand_states(128, *[(60 + i % 5, 8 * i, 8) for i in range(16)])
    levels = [loudness(random_states(128, 1, density, 20, 60)) for density in (0.05, 0.2, 0.8)]
    assert np.ptp([loudness(sparse), *levels]) < 4


def test_notes_neither_click_nor_drift():
    samples = voices.voice()(48, 4 * RATE)
    steps, block = np.abs(np.diff(samples)), RATE // 10
    for at in range(RATE // 2, 4 * RATE - block, block):
        typical = np.sqrt((steps[at : at + block] ** 2).mean())
        assert steps[at : at + block].max() < 6 * typical
    assert abs(samples[RATE:].mean()) < 0.01 * samples.std()


def test_a_held_note_dies_away():
    for pitch in (36, 60, 84):
        samples = voices.voice()(pitch, 8 * RATE).astype(float)
        first, last = (np.sqrt((part**2).mean()) for part in (samples[:RATE], samples[-RATE:]))
        assert 0 < last < first / 8


def midi_file(path, tracks, ticks=480):
    """Write (delta, message) lists as the tracks of a MIDI file."""
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks)
    for track in tracks:
        midi.tracks.append(mido.MidiTrack([message.copy(time=delta) for delta, message in track]))
    midi.save(path)
    return path


def struck(note, channel=0):
    return mido.Message("note_on", note=note, velocity=90, channel=channel)


def released(note, channel=0):
    return mido.Message("note_off", note=note, channel=channel)


def tempo(beat):
    return mido.MetaMessage("set_tempo", tempo=beat)


def test_a_file_is_heard_at_its_own_times(tmp_path):
    """Half a second a beat, then 1.2 s from beat 3; onsets off the grid, drums, a key above 101."""
    path = midi_file(
        tmp_path / "off.mid",
        [
            [(0, tempo(500_000)), (1440, tempo(1_200_000))],
            [
                *[(77, struck(60)), (300, released(60)), (500, struck(106)), (311, released(106))],
                *[(613, struck(64)), (240, released(64)), (0, struck(64)), (480, released(64))],
            ],
            [(10, struck(38, channel=9)), (200, released(38, channel=9))],
        ],
    )
    beats = [77 / 480, 877 / 480, 1801 / 480, 2041 / 480]
    expected = [b / 2 if b < 3 else 1.5 + (b - 3) * 1.2 for b in beats]
    samples = sound_of_midi(path)
    np.testing.assert_allclose(onsets_heard(samples), expected, atol=0.02)
    assert len(samples) == round((1.5 + (2521 / 480 - 3) * 1.2 + TAIL) * RATE)
    rest = slice(round((377 / 960 + RELEASE) * RATE) + 1, round(877 / 960 * RATE) - 1)
    assert not samples[rest].any()


def test_a_piece_and_its_file_sound_alike(tmp_path):
    states = random_states(64, 3, 0.1)
    write_note_states(states, path := tmp_path / "piece.mid", tempo=400_000)
    of_file, of_states = sound_of_midi(path), sound(states, tempo=400_000)
    length = len(of_states) - round(TAIL * RATE) - RATE // 20  # the file ends half a step early
    assert np.corrcoef(of_file[:length], of_states[:length])[0, 1] > 0.999


def test_a_file_without_notes_is_silent_and_what_is_no_midi_is_refused(tmp_path):
    assert not sound_of_midi(midi_file(tmp_path / "empty.mid", [[(480, tempo(1))]])).any()
    (tmp_path / "bad.mid").write_bytes(b"not music")
    with pytest.raises(MidiError, match=r"bad\.mid: it does not begin as a MIDI file does"):
        sound_of_midi(tmp_path / "bad.mid")
    with pytest.raises(FileNotFoundError):
        sound_of_midi(tmp_path / "none.mid")
    hours = [(0, tempo(16_000_000)), (480 * 3600, struck(60)), (1, released(60))]
    with pytest.raises(MidiError, match=r"long\.mid: too large: it lasts 57,600 s"):
        sound_of_midi(midi_file(tmp_path / "long.mid", [hours]))
    with pytest.raises(InputError, match="tempo 0"):
        sound(hand_states(4), tempo=0)
    with pytest.raises(InputError, match="at most 3,600 s"):
        sound(hand_states(8), tempo=2_000_000_000)


PROCESS = """
import hashlib, numpy as np
from musiclib.listening.sound import encoded, sound
states = np.load("states.npy")
samples = sound(states)
for content in (samples.tobytes(), *(encoded(samples, kind) for kind in ("mp3", "ogg", "wav"))):
    print(hashlib.sha256(content).hexdigest())
"""


def test_two_processes_write_the_same_bytes(tmp_path):
    np.save(tmp_path / "states.npy", states := random_states(64, 5, 0.1))
    samples = sound(states)
    here = [samples.tobytes(), *(encoded(samples, kind) for kind in ("mp3", "ogg", "wav"))]
    there = subprocess.run(
        [sys.executable, "-c", PROCESS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert there.stdout.split() == [hashlib.sha256(content).hexdigest() for content in here]


@pytest.mark.parametrize(("kind", "error"), [("mp3", 0.15), ("ogg", 0.15), ("wav", 1e-3)])
def test_what_is_encoded_is_decoded(kind, error):
    samples = sound(hand_states(32, *MELODY))
    content = encoded(samples, kind)
    assert kind_of(content) == kind
    decoded, rate = soundfile.read(io.BytesIO(content))
    assert (rate, decoded.ndim) == (RATE, 1)
    assert len(decoded) == len(samples)
    assert np.sqrt(((decoded - samples) ** 2).mean()) < error * samples.std()
    expected = [first * STEP for _, first, _ in MELODY]
    np.testing.assert_allclose(onsets_heard(decoded), expected, atol=0.02)


def test_a_minute_is_small_as_mp3():
    content = encoded(sound(random_states(480, 7, 0.05)))
    assert len(content) < 430_000


def test_without_an_encoder_there_is_a_wav(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "soundfile", None)  # imports of it fail
    encoding._soundfile.cache_clear()
    try:
        samples = sound(hand_states(4, (60, 0, 4)))
        assert kind_of(encoded(samples)) == kind_of(encoded(samples)) == "wav"
        assert capsys.readouterr().err.count("\n") == 1
        written = write_sound(hand_states(4, (60, 0, 4)), tmp_path / "a.mp3")
        assert written == tmp_path / "a.wav"
    finally:
        encoding._soundfile.cache_clear()
    monkeypatch.undo()
    decoded, _ = soundfile.read(written)
    np.testing.assert_allclose(decoded, samples, atol=1e-4)


def test_a_file_is_written_by_its_suffix(tmp_path):
    states = hand_states(8, (60, 0, 8))
    for kind in ("mp3", "ogg", "wav"):
        path = write_sound(states, tmp_path / "new" / f"a.{kind}")
        assert path.read_bytes() == encoded(sound(states), kind)
    assert write_sound(states, str(tmp_path / "B.MP3")).exists()
    with pytest.raises(InputError, match=r"a\.flac: sound is written as \.mp3, \.ogg, \.wav"):
        write_sound(states, tmp_path / "a.flac")
    with pytest.raises(InputError, match=r"'flac' is no kind of sound"):
        encoded(sound(states), "flac")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it cannot be written"):
        write_sound(states, tmp_path / "file" / "a.mp3")
    assert not list(tmp_path.rglob(".writing*"))


def test_without_the_font_a_line_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(sound_font, "NAME", "missing.sf2")
    voices.voice.cache_clear()
    try:
        for _ in range(2):
            assert sound(hand_states(4, (60, 0, 4))).any()
    finally:
        voices.voice.cache_clear()
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "sine waves are heard" in said


def test_the_page_on_sound_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_page("sound.md")
    assert names["written"].read_bytes() == names["inside_a_page"]
    assert abs(len(names["the_same"]) - len(names["samples"])) < 0.1 * RATE
