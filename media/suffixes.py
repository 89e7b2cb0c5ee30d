"""Suffixes of media files: which names promise media."""

from __future__ import annotations

from pathlib import Path

from pesearch.types import MediaKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RAW_SUFFIXES = _words(
    "3fr arw bay cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f"
)
"""Raw files of cameras. The first bytes of most of them are those of TIFF."""

_SUFFIXES = {
    MediaKind.VIDEO: _words(
        "264 265 266 3g2 3gp 3gpp amv apng asf av1 avi avifs bik braw crm dirac divx dnxhd dnxhr drc dv dvr-ms evo f4v "
        "flc fli flv gxf h261 h263 h264 h265 h266 hevc ifv insv ismv ivf lrv m1v m2p m2t m2ts m2v m4v mj2 mjpeg mjpg "
        "mk3d mkv mov mp2v mp4 mp4v mpe mpeg mpg mpv mts mxf mxg nsv nut nuv obu ogm ogv ogx pva qt r3d rm rmvb roq "
        "smk tod tp trp vc1 viv vob vro vvc webm wmv wtv y4m yuv"
    ),
    MediaKind.AUDIO: _words(
        "aa3 aac aax ac3 adts adx aif aifc aiff amr aob ape aptx aptxhd ast au awb bw64 bwf caf dff dsf dss dts dtshd "
        "eac3 ec3 f4a flac g722 gsm ircam latm loas m1a m4a m4b m4p m4r mka mlp mp1 mp2 mp3 mpa mpc mpga oga ogg oma "
        "opus ra rf64 s3m sbc sf shn snd sox spx tak thd tta voc vqf w64 wav wave weba wma wv xm xwma"
    ),
    MediaKind.IMAGE: _words(
        "avif bmp dds dib dpx eps exr fits fts gif heic heics heif heifs hif j2c j2k jfif jls jp2 jpc jpe jpeg jpf "
        "jpg jpx jxl mpo pam pbm pcx pfm pgm png pnm ppm psb psd qoi ras sgi tga tif tiff webp xcf"
    )
    | _RAW_SUFFIXES,
}

_AMBIGUOUS_SUFFIXES = _words("avc dif h26l it mod rec ts vdr")
"""Suffixes of recordings, and more often of other files (TypeScript, spreadsheets, kernel modules)."""


def has_media_name(path: Path) -> bool:
    """Whether the suffix is one of a media file; such files are reported when their content is not media."""
    return promised_kind(path) is not None


def may_have_media_name(path: Path) -> bool:
    """As `has_media_name`, or a suffix that media files share with other files, which are not worth a report."""
    return has_media_name(path) or _suffix(path) in _AMBIGUOUS_SUFFIXES


def promised_kind(path: Path) -> MediaKind | None:
    """The kind of media that the suffix of a file stands for; None if it is not one of a media file."""
    suffix = _suffix(path)
    return next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), None)


def is_raw_name(path: Path) -> bool:
    """Whether the suffix is one of a camera's raw files."""
    return _suffix(path) in _RAW_SUFFIXES


def _suffix(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
