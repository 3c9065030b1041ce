"""Writes what Homebrew and winget are told of a release: the addresses and hashes of its files.

    python packaging/manifests.py dist ADDRESS-OF-THE-RELEASE

A formula for a tap, not a cask: casks are quarantined, and nothing here is notarized by Apple. The formula
installs the wheel into an environment of its own, with every dependency checked against the lock.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from site_packages import ROOT

from credtray import __version__

SUMMARY = "Keeps AWS IAM Identity Center credentials fresh"
FORMULA = """\
class Credtray < Formula
  desc "{summary}"
  homepage "{url}"
  url "{url}/{wheel}", using: :nounzip
  version "{version}"
  sha256 "{wheel_hash}"
  license "MIT"

  depends_on "python@3.13"

  resource "requirements" do
    url "{url}/requirements.txt", using: :nounzip
    sha256 "{lock_hash}"
  end

  def install
    python = Formula["python@3.13"].opt_bin/"python3.13"
    system python, "-m", "venv", libexec
    pip = [libexec/"bin/python", "-m", "pip", "install", "--only-binary", ":all:", "--no-deps"]
    resource("requirements").stage do
      system(*pip, "--require-hashes", "-r", "requirements.txt")
    end
    system(*pip, buildpath/"{wheel}")
    bin.install_symlink libexec/"bin/credtray"
    assets = Dir[libexec/"lib/python*/site-packages/credtray/assets/completion"].first
    bash_completion.install "#{{assets}}/credtray.bash" => "credtray"
    zsh_completion.install "#{{assets}}/credtray.zsh" => "_credtray"
    fish_completion.install "#{{assets}}/credtray.fish"
  end

  def caveats
    <<~TEXT
      credtray app               makes ~/Applications/credtray.app, with an icon and a name of its own
      credtray setup             signs in and writes the profiles
      credtray uninstall         before `brew uninstall credtray`: takes out what it keeps in your home
    TEXT
  end

  test do
    assert_equal "credtray #{{version}}", shell_output("#{{bin}}/credtray version").strip
  end
end
"""
WINGET = {
    "credtray.yaml": """\
PackageIdentifier: credtray.credtray
PackageVersion: {version}
DefaultLocale: en-US
ManifestType: version
ManifestVersion: 1.6.0
""",
    "credtray.locale.en-US.yaml": """\
PackageIdentifier: credtray.credtray
PackageVersion: {version}
PackageLocale: en-US
Publisher: The credtray authors
PackageName: credtray
License: MIT
ShortDescription: {summary}
Moniker: credtray
Tags:
- aws
- credentials
- sso
ManifestType: defaultLocale
ManifestVersion: 1.6.0
""",
    "credtray.installer.yaml": """\
PackageIdentifier: credtray.credtray
PackageVersion: {version}
InstallerType: nullsoft
Scope: user
InstallModes:
- interactive
- silent
UpgradeBehavior: install
Commands:
- credtray
Installers:
- Architecture: x64
  InstallerUrl: {url}/{setup}
  InstallerSha256: {setup_hash}
  AppsAndFeaturesEntries:
  - DisplayName: credtray
    ProductCode: credtray
ManifestType: installer
ManifestVersion: 1.6.0
""",
}


def write(dist: Path, url: str) -> None:
    """Write those whose files are there: after signing, which changes the hashes, write them anew."""
    shutil.copy(ROOT / "requirements" / "runtime.txt", dist / "requirements.txt")
    wheel, setup = f"credtray-{__version__}-py3-none-any.whl", f"credtray-{__version__}-setup.exe"
    named = {"version": __version__, "summary": SUMMARY, "url": url, "wheel": wheel, "setup": setup}
    if (dist / wheel).exists():
        hashes = {"wheel_hash": digest(dist / wheel), "lock_hash": digest(dist / "requirements.txt")}
        (dist / "credtray.rb").write_text(FORMULA.format(**named, **hashes), "utf-8")
    if (dist / setup).exists():
        for name, text in WINGET.items():
            filled = text.format(**named, setup_hash=digest(dist / setup).upper())
            (dist / name).write_text(filled, "utf-8")


def digest(path: Path) -> str:
    """Return the file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2].rstrip("/"))
