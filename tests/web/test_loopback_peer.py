from __future__ import annotations

import pytest

from credtray.web.loopback_peer import owner_in

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEAD + (
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0\n"
    "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0\n"
    "   2: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 3 1 0\n"
)
TCP6 = HEAD + (
    "   0: 0000000000000000FFFF00000100007F:D432 0000000000000000FFFF00000100007F:1F90 01 "
    "00000000:00000000 00:00000000 00000000  1002        0 4 1 0\n"
)
OURS = ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("table", "port", "expected"),
    [
        (TCP, 0xD431, 1001),
        (TCP6, 0xD432, 1002),
        (TCP, 0xD433, None),
        (TCP, 8080, None),
        ("", 0xD431, None),
        (HEAD + "   0: garbage\n   1: x:y z:w 01 0 0 0 1000 0\n", 0xD431, None),
    ],
)
def test_owner_is_that_of_the_visitors_end(table: str, port: int, expected: int | None) -> None:
    assert owner_in(table, ("127.0.0.1", port), OURS, "little") == expected


def test_big_endian_machine_writes_the_address_as_it_is_read() -> None:
    table = TCP.replace("0100007F", "7F000001")

    assert owner_in(table, ("127.0.0.1", 0xD431), OURS, "big") == 1001
