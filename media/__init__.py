"""Media files to arrays: detect the format, probe, decode frames and audio, read cues, cut clips, make thumbnails.

FFmpeg, torchcodec and PIL are used only here. Import the modules: `pesearch.media.probe`, `.video`,
`.audio`, `.image`, `.cues`, `.cut_clip`, `.thumbnails`. Errors are MediaError, whose message is the reason without the
path.
"""
