"""The cohort: everyday texts whose scores in a library show what chance scores there, and what a match scores.

A query is compared with texts that nobody asked for (the cohort normalisation of speaker verification, Auckenthaler et
al. 2000). Most of them match nothing in a given library, some do: how high they score tells both apart.
"""

from __future__ import annotations

from enum import StrEnum

THINGS = (
    "person", "man", "woman", "child", "baby", "crowd", "face", "hand", "dog", "cat", "horse", "cow", "bird", "fish",
    "insect", "flower", "tree", "forest", "mountain", "sea", "beach", "river", "lake", "sky", "sun", "moon", "night",
    "snow", "rain", "fire", "street", "road", "bridge", "car", "truck", "bus", "train", "boat", "airplane", "bicycle",
    "house", "building", "church", "window", "door", "stairs", "room", "kitchen", "bed", "table", "chair", "lamp",
    "book", "phone", "computer", "screen", "clock", "food", "cup", "bottle", "ball", "toy", "drum", "guitar", "bell",
    "flag", "sign", "map", "box", "bag", "hat", "shoe", "knife", "tool", "machine", "factory", "stage", "desert",
    "garden", "field",
)  # fmt: skip
"""Common subjects of pictures."""

SOUNDS = (
    "music", "singing", "laughter", "crying", "shouting", "whispering", "applause", "footsteps", "wind",
    "water running", "waves", "thunder", "barking", "meowing", "birdsong", "an engine", "a horn", "a siren",
    "a whistle", "a bell ringing", "a phone ringing", "a door slamming", "knocking", "glass breaking", "an explosion",
    "gunshots", "hammering", "typing", "a piano", "drumming", "silence", "static noise",
)  # fmt: skip
"""Common sounds."""

SENTENCES = (
    "please open the door", "good evening everyone", "the coffee is cold", "where is the doctor",
    "see you at the show", "thank you for the map", "what is the answer", "let us wait here", "I am so happy",
    "call me in the evening", "the window is closed", "be quiet please", "we need a bigger table",
    "do not forget your key", "how was your day", "come home for dinner", "turn the page", "nobody was there",
    "it is too late", "welcome back my friend", "the river is high", "I know the way", "look under the bed",
    "count the money", "press it again", "who broke the glass", "stop the game", "never mind", "check the light",
    "we are ready to go", "sing a song for me", "my belt is too big", "summer is almost over", "have some bread",
    "keep the door open", "he likes to read", "the lift stops here", "write to me soon", "buy more sugar",
    "give me a minute",
)  # fmt: skip
"""Sentences that anybody may say."""


class CohortKind(StrEnum):
    """The part of the cohort that a text is compared with."""

    NAMES = "names"
    """Things and sounds."""
    SENTENCES = "sentences"


NAMES = (*THINGS, *SOUNDS)

COHORT = (*NAMES, *SENTENCES)

COHORT_SLICES = {
    CohortKind.NAMES: slice(0, len(NAMES)),
    CohortKind.SENTENCES: slice(len(NAMES), len(COHORT)),
}
"""The place of each kind in COHORT."""
