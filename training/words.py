"""Vocabulary of the generated world: what can be heard, seen and said, and how texts may name it.

A canonical name is one concept in every sense: the `train` that is heard is the `train` that is seen.
"""

from collections.abc import Mapping

import numpy as np

SOUNDS = (
    "siren", "train", "bell", "bark", "rain", "engine", "clock", "phone", "drum", "notes",
    "birds", "applause", "beep", "thunder", "speech",
)  # fmt: skip
OBJECTS = (
    "train", "car", "ball", "bird", "house", "sun", "people", "dog", "bell", "clock", "rain", "phone", "drum",
)  # fmt: skip
COLOURS = ("red", "green", "blue", "yellow", "white")
MOTIONS = ("still", "moving left", "moving right", "jumping")
PLACES = ("day", "night", "city", "sea", "field")

COLOURED = ("train", "car", "ball", "bird", "house", "phone", "drum")
"""Objects that come in every colour; the others have a fixed one."""

FIXED = ("sun", "rain")
"""Objects that never move, so that no text mentions their motion."""

MADE_BY: Mapping[str, str] = {
    "siren": "car",
    "train": "train",
    "bell": "bell",
    "bark": "dog",
    "rain": "rain",
    "engine": "car",
    "clock": "clock",
    "phone": "phone",
    "drum": "drum",
    "birds": "bird",
    "applause": "people",
    "thunder": "rain",
    "speech": "people",
}
"""The object that makes a sound. Notes and beeps have no visible source."""

CONCEPT_OF: Mapping[str, str] = {"bark": "dog", "birds": "bird"}
"""Sounds that are one concept with their source: a bare noun means both. Other sounds are separate concepts."""

CONCEPTS = (*OBJECTS, *(name for name in SOUNDS if name not in OBJECTS and name not in CONCEPT_OF))

HEARD_AS: Mapping[str, tuple[str, ...]] = {
    "siren": ("a siren", "sirens", "a police siren", "a wailing siren"),
    "train": ("a train", "trains", "a train passing", "a chuffing locomotive"),
    "bell": ("a bell", "bells", "a ringing bell", "church bells"),
    "bark": ("a dog barking", "a dog", "dogs barking", "barking"),
    "rain": ("rain", "rain falling", "rainfall", "pouring rain"),
    "engine": ("an engine", "a motor", "engines", "a running engine"),
    "clock": ("a clock", "clocks", "a ticking clock", "ticking"),
    "phone": ("a phone", "a phone ringing", "a telephone", "phones", "a ringtone"),
    "drum": ("a drum", "drums", "a drum beat", "drumming"),
    "notes": ("notes", "piano notes", "a melody", "music"),
    "birds": ("birds", "birdsong", "a bird singing", "chirping birds"),
    "applause": ("applause", "clapping", "hands clapping", "an audience clapping"),
    "beep": ("a beep", "beeps", "beeping", "an electronic beep"),
    "thunder": ("thunder", "rolling thunder", "a thunderclap", "thundering"),
    "speech": ("speech", "a voice", "talking", "a person speaking"),
}

SEEN_AS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "locomotive", "railway train"),
    "car": ("car", "automobile", "motor car"),
    "ball": ("ball", "toy ball", "round ball"),
    "bird": ("bird", "little bird", "feathered bird"),
    "house": ("house", "cottage", "small house"),
    "sun": ("sun", "bright sun", "shining sun"),
    "people": ("people", "two people", "persons"),
    "dog": ("dog", "puppy", "hound"),
    "bell": ("bell", "brass bell", "metal bell"),
    "clock": ("clock", "round clock", "wall clock"),
    "rain": ("rain", "falling rain", "raindrops"),
    "phone": ("phone", "telephone", "mobile phone"),
    "drum": ("drum", "snare drum", "toy drum"),
}

PLURALS: Mapping[str, str] = {name: f"{name}s" for name in OBJECTS if name not in ("sun", "people", "rain")}

MOVING_AS: Mapping[str, tuple[str, ...]] = {
    "still": ("standing still", "not moving"),
    "moving left": ("moving left", "moving to the left", "going left"),
    "moving right": ("moving right", "moving to the right", "going right"),
    "jumping": ("jumping", "jumping up and down", "hopping"),
}

PLACE_AS: Mapping[str, tuple[str, ...]] = {
    "day": ("by day", "in daylight", "during the day"),
    "night": ("at night", "by night", "in the dark"),
    "city": ("in the city", "in a town", "in the streets"),
    "sea": ("at the sea", "by the sea", "on the water"),
    "field": ("in a field", "on the grass", "in a meadow"),
}

PLACE_ALONE: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "daylight", "a sunny sky"),
    "night": ("night", "a night sky", "a dark night"),
    "city": ("city", "a town", "city buildings"),
    "sea": ("sea", "the ocean", "waves"),
    "field": ("field", "a meadow", "grass"),
}

PHRASES = (
    "mind the gap", "good morning everyone", "please close the door", "where is my key", "see you tomorrow",
    "thank you very much", "happy birthday to you", "the coffee is ready", "turn off the light", "what time is it",
    "hello my friend", "open the window", "I am so hungry", "let us go home", "be careful please",
    "welcome to the show", "have a nice evening", "stop over there", "come a bit closer", "nobody knows why",
    "keep it simple", "dinner is served", "wait a minute", "all seats are taken", "never give up",
    "check your ticket", "the answer is seven", "count to ten", "read the next page", "I like fresh bread",
    "follow the river", "the shop is closed", "we won the game", "press the button", "write it down",
    "call a doctor", "under the table", "ready steady go", "summer starts in june", "fasten your belt",
    "do not touch this", "look at the map", "once upon a time", "silence in the hall", "sing it again",
    "too much sugar", "the lift is broken", "we need more paper",
)  # fmt: skip

VOICES = ("en-gb", "en-us", "en-gb-scotland", "en-gb+f2", "en-us+f3", "en-us+m3")
"""Voices of espeak-ng."""

OUTSIDE = (
    "tractor", "violin", "helicopter", "elephant", "guitar", "bicycle", "chainsaw", "lion", "keyboard", "waterfall",
    "submarine", "toaster", "camel", "trumpet", "volcano", "scissors", "penguin", "hammer", "castle", "spider",
    "umbrella", "rocket", "pizza", "snake", "microscope", "bagpipes", "giraffe", "lighthouse", "washing machine",
    "frog", "banana", "desert", "saxophone", "kangaroo", "printer", "cactus", "sailor", "lobster", "vacuum cleaner",
    "dragon", "skateboard", "owl", "typewriter", "mushroom", "cathedral",
)  # fmt: skip
"""Nouns that are in no training text and no scene, only for evaluating the detection of unknown things."""

OUTSIDE_TRAIN = (
    "cat", "horse", "flute", "glass", "wind", "aeroplane", "truck", "motorbike", "cow", "sheep", "rooster", "pig",
    "drill", "saw", "blender", "shower", "fountain", "fire", "explosion", "gunshot", "whistle", "harp", "accordion",
    "cello", "tiger", "zebra", "rabbit", "turtle", "dolphin", "whale", "shark", "butterfly", "mosquito", "ladder",
    "chair", "sofa", "bottle", "spoon", "knife", "carrot", "orange", "sandwich", "cheese", "bridge", "tower", "temple",
    "forest", "mountain", "glacier", "island", "robot", "laptop", "camera", "television", "balloon", "kite", "ship",
    "canoe", "anchor", "compass", "candle", "mirror", "pillow", "blanket", "hat", "shoe", "glove", "ring finger",
)  # fmt: skip
"""Other nouns from outside the world, for training on unknown things."""


def gibberish(rng: np.random.Generator) -> str:
    """A meaningless word of two or three open syllables, such as "vozula"."""
    consonants, vowels = "bdfgjklmnprtvwz", "aeiou"
    syllables = (
        consonants[rng.integers(len(consonants))] + vowels[rng.integers(len(vowels))] for _ in range(rng.integers(2, 4))
    )
    return "".join(syllables)
