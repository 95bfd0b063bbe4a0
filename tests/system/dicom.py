"""CT images enough for a PACS, and the few words with it that a test needs: run inside its network.

    dicom.py upload SEED        posts images until its standard input ends; a line for each
    dicom.py verify             the number of images, each of which passed verify-md5
"""
import json
import random
import select
import struct
import sys
import urllib.request

ORTHANC = "http://127.0.0.1:8042"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ROOT = "1.2.826.0.1.3680043.8.498"  # Of UIDs that are nobody's.
SIDE = 128


def element(group, number, kind, value):
    """One data element, explicit VR, little endian (DICOM PS3.5, 7.1)."""
    if isinstance(value, str):
        value = value.encode("ascii")
    if len(value) % 2:
        value += b"\0" if kind == "UI" else b" "
    head = struct.pack("<HH2s", group, number, kind.encode())
    if kind in ("OB", "OW"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def short(value):
    return struct.pack("<H", value)


def image(seed, number):
    """The file of image `number`; 20 make a series."""
    noise = random.Random(seed * 1_000_000 + number)
    instance = f"{ROOT}.{seed}.{number}.1"
    series = f"{ROOT}.{seed}.{number // 20}.2"
    meta = (element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", CT_IMAGE) + element(2, 3, "UI", instance) +
            element(2, 0x10, "UI", EXPLICIT_LITTLE_ENDIAN) + element(2, 0x12, "UI", ROOT))
    return (bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta +
            element(8, 0x16, "UI", CT_IMAGE) + element(8, 0x18, "UI", instance) +
            element(8, 0x60, "CS", "CT") + element(0x10, 0x10, "PN", f"Test^{number // 40}") +
            element(0x10, 0x20, "LO", f"P{seed}-{number // 40}") +
            element(0x20, 0x0d, "UI", f"{ROOT}.{seed}.{number // 40}.3") + element(0x20, 0x0e, "UI", series) +
            element(0x28, 2, "US", short(1)) + element(0x28, 4, "CS", "MONOCHROME2") +
            element(0x28, 0x10, "US", short(SIDE)) + element(0x28, 0x11, "US", short(SIDE)) +
            element(0x28, 0x100, "US", short(16)) + element(0x28, 0x101, "US", short(12)) +
            element(0x28, 0x102, "US", short(11)) + element(0x28, 0x103, "US", short(0)) +
            element(0x7fe0, 0x10, "OW", noise.randbytes(2 * SIDE * SIDE)))


def ask(path, body=None):
    with urllib.request.urlopen(ORTHANC + path, data=body, timeout=60) as answer:
        return answer.read()


def upload(seed):
    number = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        ask("/instances", image(seed, number))
        number += 1
        print(number, flush=True)


def verify():
    instances = json.loads(ask("/instances"))
    for instance in instances:
        ask(f"/instances/{instance}/attachments/dicom/verify-md5", b"")  # Else 4xx: an exception.
    print(len(instances))


if __name__ == "__main__":
    if sys.argv[1] == "upload":
        upload(int(sys.argv[2]))
    else:
        verify()
