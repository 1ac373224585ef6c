"""`edge-daemon bundle`: verify a bundle of models, or show what is in it."""

import argparse
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`verify` or `show`, and a directory."""
    parser.add_argument("action", choices=("verify", "show"))
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="the bundle; default: the one that is shipped",
    )
    parser.epilog = (
        "verify compares hashes and opens each model in a child process, so that a malformed\n"
        "one can crash nothing else; exit code 78 when anything disagrees."
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify or show; raises BundleError."""
    from edge_daemon.inference.bundle import Bundle, check_models, load_bundle
    from edge_daemon.resources import shipped_bundle
    from edge_daemon.tier import TIERS

    bundle: Bundle = load_bundle(arguments.directory or shipped_bundle())
    print(f"{bundle.name} {bundle.version}  {bundle.path}")
    if arguments.action == "verify":
        for tier, report in check_models(bundle).items():
            runs = "XNNPACK" if report.delegated else "plain kernels"
            print(f"  {tier:8}  ok  {printable(bundle.tiers[tier].file)}, {report.runtime}, {runs}")
        return exitcode.OK
    print(f"  labels    {', '.join(bundle.labels)}")
    for tier in reversed(TIERS):
        spec = bundle.tiers[tier]
        print(
            f"  {tier:8}  {printable(spec.file)}, {spec.bytes / 1024:.1f} KiB, "
            f"{spec.macs / 1e6:.2f} M MACs"
        )
        image, audio = spec.inputs.image, spec.inputs.audio
        print(f"            image {image.height}×{image.width} {image.colour}, {image.contrast}")
        if audio is not None:
            length_s = audio.columns * audio.stride * audio.hop / audio.sample_rate_hz
            first, end = audio.band_slice
            print(
                f"            audio {length_s:.2f} s from the onset at "
                f"{audio.sample_rate_hz / 1000:g} kHz, bands {first}–{end - 1} of {audio.bands}"
            )
        for accuracy in spec.accuracy:
            print(
                f"            {printable(accuracy.protocol):10} {accuracy.value:.2%} "
                f"of {accuracy.samples} samples"
            )
    return exitcode.OK
