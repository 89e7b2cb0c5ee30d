"""The texts for agents: instructions, and the descriptions of the tools."""

INSTRUCTIONS = """\
pesearch searches inside the user's own video, audio and images by what is seen, heard and said. A result is a moment:
a file (file_id, path) and an interval in seconds. Search first, then look at the best moments with the tool `moment`,
which returns pictures and the subtitles of the interval. Answer with paths and times."""

SEARCH = """\
Find moments in the user's media by what is seen, heard or said. Returns the best moments first, as JSON.

q: short English phrases that name things, sounds or scenes work best: "a dog barking", "siren and train". Say what can
be seen or heard, not what it means. For spoken words use said:"mind the gap".
Query language: seen:X heard:X said:X text:X limit X to pictures, sounds, speech, written text; "exact words" in
subtitles; A AND B in one moment; A OR B; A THEN B WITHIN 10s in this order; -X or NOT X excludes; parentheses group.
An example is a file of the library: file:"/path/of/it"@12-15, with words if wanted.

score is the estimated probability that a moment matches (score_kind "calibrated"). Without all=true only moments with
0.5 or more are returned; an empty list means that nothing is likely to match. Then try other words, fewer conditions,
or all=true for the nearest moments, which are guesses. With score_kind "likeness" (queries with examples only) it is a
similarity, not a probability. dedupe=true returns copies of one recording once, with the others in near_duplicates.
online=false: the file cannot be opened now."""

MOMENT = """\
Look at a moment: pictures spread over the interval, and all subtitles, captions and chapters in it, with when, where
and with what the file was recorded. Take file_id, start and end from a search. Files without video have no pictures."""

EVENTS = """\
Locate named sounds in one file: onset, offset and probability of each, in seconds. Phrases are short and in English:
"siren", "a dog barking". Long files take a while: the whole file is searched."""

EXPORT = """\
Export moments as a text document: csv or json (tables), m3u (playlist), edl, otio or fcpxml (timelines for video
editors), vtt (chapters of one file). Returns the text of the document; nothing is written to disk."""

STATUS = """\
What the library contains: number of files by kind, hours, the model set, files that failed or are offline, and how
scores were calibrated."""

INDEX = """\
Add a file or folder of this machine to the library, in the background. Returns the progress after at most 20 seconds;
call it again with the same path to get the progress. Found files can be searched at once."""
