"""The demuxers of FFmpeg that may open a file.

A media file is often somebody else's: FFmpeg must not take it for a list of other files (HLS, DASH, concat, SDP, IMF),
which it would open, nor for text, subtitles or a picture; nor for Magic Lantern raw video (MLV), beside which FFmpeg
opens `film.m00`, `film.m01` and so on, whatever they are. FFmpeg looks for the format by the content, whatever the
name, so that only a list of allowed demuxers keeps them out.
"""

from __future__ import annotations

_CONTAINERS = (
    "3dostr 4xm anm asf asf_o avi avr avs bethsoftvid bfi bink bmv c93 caf cdxl cine dfa dhav dsicin dss dxa ea "
    "film_cpk filmstrip flic flv gdv gxf hnm idcin iff ifv ingenient ipmovie ipu iv8 ivf jv kux live_flv lmlm4 lvf "
    "lxf matroska mgsts mm mods moflex mov mpeg mpegts mtv mv mvi mxf mxg nc nsv nut nuv ogg paf pmp psxstr pva "
    "r3d rl2 rm roq rpl sdx ser sga siff simbiosis_imx smjpeg smk smush sol swf thp tiertexseq tmv txd ty vc1test "
    "vividas vivo vmd wc3movie wsvqa wtv xmv xwma yop"
)
_RAW_VIDEO = (
    "apng av1 avs2 avs3 cavsvideo dirac dnxhd dv evc gif h261 h263 h264 hevc jpeg_pipe m4v mjpeg mpegvideo obu vc1 "
    "vvc yuv4mpegpipe"
)
_SOUND = (
    "aa aac aax aptx aptx_hd ac3 ac4 ace acm act adp ads adx aea afc aiff aix alp amr amrnb amrwb apc ape apm "
    "argo_asf ast au bfstm bit boa bonk brstm codec2 dsf dts dtshd eac3 epaf flac fsb fwse g722 g723_1 g729 genh gsm "
    "hca hcom ilbc ircam iss kvag laf lc3 libopenmpt loas mca mlp mmf mp3 mpc mpc8 msf msnwctcp mtaf musx nistsphere "
    "oma osq pp_bnk pvf qcp qoa redspark rka rsd sbc scd sdr2 sds shn sln sox spdif svag svs tak truehd tta vag voc "
    "vpk vqf w64 wav wavarc wsaud wsd wv wve xa xvag"
)

ALLOWED_DEMUXERS = f"{_CONTAINERS} {_RAW_VIDEO} {_SOUND}".replace(" ", ",")
"""As FFmpeg's option `-format_whitelist` takes them; names that this FFmpeg does not know do no harm.

`jpeg_pipe` is what FFmpeg takes a raw stream of JPEG pictures (.mjpeg) for. Left out, beside lists, text, pictures and
devices: formats without any signature (s16le, rawvideo), whose rate and size FFmpeg would guess.
"""

MIN_PROBE_SCORE = 25
"""FFmpeg's certainty, of 100, from which a file of unknown first bytes is media.

Measured with FFmpeg 5.1: raw DV 75, raw H.264, HEVC, AV1, MP3 and AC-3 51, H.263 and transport streams 50, a raw stream
of JPEG pictures 26; random bytes, zeros, text, archives and programs under twenty names of media at most 1.
"""
