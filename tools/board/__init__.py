"""A virtual arm64 board under QEMU: Debian, the daemon as its service, real device drivers."""
