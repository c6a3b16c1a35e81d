from pathlib import Path

import pytest

from models import disk

MOUNTINFO = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 27 0:40 / /mnt/two\\040words rw shared:1 master:2 - nfs4 server:/export rw,vers=4.2
32 31 254:1 / /mnt/two\\040words/local rw - xfs /dev/vdb rw
33 27 0:50 / /home/me/far rw,nosuid - fuse.sshfs me@server: rw
34 27 0:51 / /net rw - autofs auto rw
35 27 0:52 / /net rw - cifs //server/share rw
"""
MOUNT_COMMAND = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
//me@server/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/caidan", "ext4"),
        ("/mnt/two words/caidan/broker.db", "nfs4"),
        ("/mnt/two words/local/broker.db", "xfs"),
        ("/home/me/far", "fuse.sshfs"),
        ("/home/me/farther", "ext4"),
        ("/net/broker.db", "cifs"),
    ],
)
def test_the_innermost_and_last_mount_holds_a_path(path: str, kind: str) -> None:
    mount = disk.mount_of(Path(path), disk.read_mountinfo(MOUNTINFO))

    assert mount is not None
    assert kind == mount[1]


def test_mounts_are_read_where_there_is_no_proc() -> None:
    assert [(Path("/"), "apfs"), (Path("/Volumes/share"), "smbfs")] == disk.read_mount_command(MOUNT_COMMAND)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.rclone", "ceph"])
def test_network_disks_are_known(kind: str) -> None:
    assert disk.is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "apfs", "fuseblk", "fuse.fuse-overlayfs"])
def test_local_disks_are_known(kind: str) -> None:
    assert not disk.is_network(kind)


def test_a_network_disk_is_refused_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "mounts", lambda: [(Path("/"), "ext4"), (tmp_path.resolve(), "nfs4")])

    with pytest.raises(disk.NetworkDiskError, match=r"a network disk \(nfs4\).*put it on a local disk"):
        disk.refuse_network_disk(tmp_path / "not" / "yet" / "there.db")


def test_a_link_to_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    monkeypatch.setattr(disk, "mounts", lambda: [(Path("/"), "ext4"), ((tmp_path / "far").resolve(), "cifs")])

    with pytest.raises(disk.NetworkDiskError):
        disk.refuse_network_disk(tmp_path / "near" / "broker.db")


def test_this_disk_is_local(tmp_path: Path) -> None:
    disk.refuse_network_disk(tmp_path)
