"""The files of a repository that are no models by their extension, and are therefore not even opened."""

from __future__ import annotations

_TEXT = """
adoc bib cfg cnf conf csv diff editorconfig env gitattributes gitignore gitkeep gitmodules htm html ini ipynb
json json5 jsonc jsonl ldif lock log markdown md mdx mo ndjson org patch pem po pot properties pub rst rtf srt
sum svg tex toml tsv txt vtt xml xsd xsl xslt yaml yml
"""
_SOURCE = """
ada asm bash bat bazel bzl c cc cjs cl clj cljs cmake cmd coffee cpp cs css cts cu cuh cxx cypher d dart dts
ejs el elm erl ex exs f f90 fish fs fsx gemspec glsl go gql gradle graphql groovy h haml hbs hh hpp hrl hs hxx
idl inc ipp j2 java jinja jinja2 jl js jsp jsx kt kts less liquid lisp lua m4 mak mjs mk ml mli mm mod mts nim
nix pas php pl plist pm proto ps1 psm1 pug purs pxd pxi py pyi pyx qml r rake rb rkt rmd rs s sass sbt scala
scm scss sh sol sql stan sv swift tcl tf tfvars thrift tmpl tpl ts tsx v vb vhd vim vue wat xaml zig zsh
"""
_MEDIA_AND_DOCUMENTS = """
aac avi avif bmp cur doc docx eot eps flac gif heic icns ico jpe jpeg jpg m4a m4v mkv mov mp3 mp4 mpeg mpg odp
ods odt ogg ogv opus otf pdf png ppt pptx ps psd tga tif tiff ttc ttf wav webm webp wma wmv woff woff2 xcf xls
xlsx
"""
_ARCHIVES_AND_COMPILED = """
7z a apk bz2 class deb dll dylib exe gz ipa jar lz4 map msi o obj pdb pyc pyd pyo rar rpm so tar tgz war whl
xz zst
"""
_EXTENSIONS = frozenset((_TEXT + _SOURCE + _MEDIA_AND_DOCUMENTS + _ARCHIVES_AND_COMPILED).split())


_OPENED_ALL_THE_SAME = (".weights.json", "dvc.lock")
"""They say which files there should be."""


def is_ordinary(path: str) -> bool:
    _, dot, extension = path.rpartition(".")
    known = dot != "" and (extension in _EXTENSIONS or extension.lower() in _EXTENSIONS)
    return known and not path.endswith(_OPENED_ALL_THE_SAME)
