"""Refuses network disks for the files that SQLite writes: its locks and its shared memory cannot be trusted there."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_NETWORK = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"),
    *("nfs", "nfs4", "ocfs2", "orangefs", "smb", "smb2", "smb3", "smbfs", "vboxsf", "webdav"),
}
# What stands behind FUSE cannot be known (sshfs, rclone, s3fs, …), except for the root disk of a rootless container.
_LOCAL_FUSE = {"fuse.fuse-overlayfs"}

Mount = tuple[Path, str]  # where it is mounted, and its type


class NetworkDiskError(Exception):
    """A file that must be on a local disk is not."""


def refuse_network_disk(path: Path) -> None:
    """Raise `NetworkDiskError` where `path`, which need not exist yet, would be on a network disk."""
    mount = mount_of(path.resolve(), mounts())
    if mount and is_network(mount[1]):
        raise NetworkDiskError(
            f"{path} would be on {mount[0]}, a network disk ({mount[1]}), which can lose or mix up what is written "
            "by several processes; put it on a local disk"
        )


def is_network(kind: str) -> bool:
    return kind in _NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def mount_of(path: Path, table: Iterable[Mount]) -> Mount | None:
    """The innermost mount that holds `path`; of several at one place the last covers the others."""
    holding = [mount for mount in table if path.is_relative_to(mount[0])]
    deepest = max((len(place.parts) for place, _ in holding), default=0)
    return next((mount for mount in reversed(holding) if len(mount[0].parts) == deepest), None)


def mounts() -> list[Mount]:
    """What is mounted; nothing where that cannot be found out, since a check must not refuse a disk it cannot see."""
    if _MOUNTINFO.exists():
        return read_mountinfo(_MOUNTINFO.read_text(errors="surrogateescape"))
    try:
        said = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return read_mount_command(said.stdout)


def read_mountinfo(text: str) -> list[Mount]:
    """Linux: `36 35 0:31 / /mnt/photo\\040disk rw shared:1 - nfs4 server:/export rw` (proc(5))."""
    table = []
    for line in text.splitlines():
        place, _, device = line.partition(" - ")
        table.append((Path(_unescape(place.split(" ")[4])), device.split(" ")[0]))
    return table


def read_mount_command(text: str) -> list[Mount]:
    """macOS and the BSDs: `//me@server/share on /Volumes/share (smbfs, nodev, nosuid)`."""
    return [(Path(place), kind) for place, kind in re.findall(r"^.* on (/.*) \(([^,)]+)", text, re.MULTILINE)]


def _unescape(place: str) -> str:
    """Blanks and the like are octal in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)
