"""What is looked up: sizes and room of real files; what is not there has no sample."""

import os
import shutil
from pathlib import Path

from prometheus_client import Metric

from kis.ops.gauges import disk_room, gauge, resident_bytes


def samples_of(*metrics: Metric) -> dict[str, float]:
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for metric in metrics
        for sample in metric.samples
    }


def test_gauge_without_samples_is_known_and_has_none() -> None:
    found = gauge("kis_bytes", "Bytes", [])
    assert (found.name, found.samples) == ("kis_bytes", [])


def test_room_of_a_disk_is_what_df_says(tmp_path: Path) -> None:
    found = samples_of(*disk_room({"home": tmp_path})())
    usage = shutil.disk_usage(tmp_path)
    assert found["kis_disk_size_byteshome"] == usage.used + usage.free
    assert 0 < found["kis_disk_free_byteshome"] <= found["kis_disk_size_byteshome"]


def test_folders_of_one_disk_are_shown_once_and_missing_ones_not(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    folders = {"gone": tmp_path / "gone", "home": tmp_path, "backups": there}
    found = samples_of(*disk_room(folders)())
    assert set(found) == {"kis_disk_free_byteshome", "kis_disk_size_byteshome"}


def test_memory_is_what_the_system_says() -> None:
    found = resident_bytes()
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    kilobytes = int(status.split("VmRSS:")[1].split()[0])
    assert found is not None
    assert abs(found - 1024 * kilobytes) < 2**24
