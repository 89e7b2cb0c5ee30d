"""Files to arrays: recognise, probe, decode frames and sound, thumbnails.

FFmpeg, torchcodec, torchaudio and PIL live only here. Import the modules: `pesearch.media.probe`, `.video`, `.audio`,
`.image`, `.cut`, `.recognise`, `.fingerprint`, `.ffmpeg`. All errors are MediaError, its text the reason alone.
"""
