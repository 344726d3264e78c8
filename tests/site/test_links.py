"""링크: 사이트 안의 것은 `make links`가 모두 보고, 다른 곳으로 가는 것은 한 주에 한 번만 묻는다."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urldefrag, urlsplit

import pytest
import yaml

from tests.site.conftest import ROOT, SITE, built_pages, soup_of

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
TRACKING = re.compile(r"utm_\w+|fbclid|gclid|igshid|mc_eid|ref_src|si")


DEAD = {
    "losses/binary/index.html": {
        '<a href="../nope-page/">': "losses/nope-page",
        '<a href="../categorical/#nope-there">': "losses/categorical#nope-there",
        '<a href="#nope-here">': "losses/binary/index.html#nope-here",
        '<pre><code><a href="#nope-code">': "losses/binary/index.html#nope-code",
        '<img src="../../figures/nope.svg">': "figures/nope.svg",
        '<img srcset="nope-2x.png 2x">': "losses/binary/nope-2x.png",
        '<a href="../../labs/gan/#nope-in-lab">': "labs/gan#nope-in-lab",
    },
    "labs/gan/index.html": {'<a href="#nope-lab">': "labs/gan/index.html#nope-lab"},
    "404.html": {'<a href="./nope-404/">': "nope-404", '<link rel="stylesheet" href="nope.css">': "nope.css"},
}


def dead(site: Path) -> dict[str, set[str]]:
    """`make links`가 죽었다고 이르는 링크: 페이지마다, 사이트에서 본 주소들."""
    lychee, config = Path(sys.executable).with_name("lychee"), Path(__file__).with_name("lychee.toml")
    asked = subprocess.run(
        [lychee, "--config", config, "--format", "json", site], capture_output=True, text=True, check=False
    )
    found = json.loads(asked.stdout)
    assert found["total"] > 5000
    assert asked.returncode == (2 if found["error_map"] else 0), asked.stderr
    return {
        Path(page).relative_to(site).as_posix(): {each["url"].removeprefix(f"{site.as_uri()}/") for each in links}
        for page, links in found["error_map"].items()
    }


def test_no_link_of_the_site_is_dead() -> None:
    assert dead(SITE) == {}


def test_no_link_is_dead_when_addresses_are_files(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--no-directory-urls", "--site-dir"]
    done = subprocess.run([*build, tmp_path / "site"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "site" / "losses" / "binary.html").is_file()
    assert dead(tmp_path / "site") == {}


def test_every_dead_link_is_named(tmp_path: Path) -> None:
    """테스트의 테스트: 심은 것은 모두, 심은 것만 이른다."""
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    for name, planted in DEAD.items():
        html = (site / name).read_text("utf-8")
        (site / name).write_text(html.replace("</article>", "".join(planted) + "</article>"), "utf-8")
    assert dead(site) == {name: set(planted.values()) for name, planted in DEAD.items()}


def test_every_link_inside_a_picture_arrives() -> None:
    """그림 안의 링크는 SVG의 옛 이름(xlink:href)으로 적혀 있어 위의 검사가 모른다."""
    drawn = [path for path in built_pages() if "<a xlink:href" in (SITE / path / "index.html").read_text("utf-8")]
    found = {path: [link["xlink:href"] for link in soup_of(path).select("svg a")] for path in drawn}
    assert sum(map(len, found.values())) >= 10
    assert all(soup_of(path).find(id=link.removeprefix("#")) for path, links in found.items() for link in links)


@cache
def external() -> Counter[str]:
    """사이트의 모든 페이지에서 다른 곳으로 가는 주소."""
    found: Counter[str] = Counter()
    for path in [*built_pages(), "404.html"]:
        links = soup_of(path).select("a[href]")
        found.update(link["href"] for link in links if urlsplit(link["href"]).netloc)
    return found


def test_the_addresses_are_well_formed() -> None:
    addresses = external()
    assert len(addresses) >= 30
    for address in addresses:
        parts = urlsplit(address)
        assert parts.scheme == "https", address
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), address
        assert not re.search(r"[\s\"'<>\\]|//", address.removeprefix("https://")), address
        assert not [key for key, _ in parse_qsl(parts.query) if TRACKING.fullmatch(key)], address


def test_a_page_has_one_address() -> None:
    pages = {urldefrag(address).url for address in external()}
    assert Counter(page.rstrip("/").removeprefix("https://www.") for page in pages).most_common(1)[0][1] == 1


def test_the_check_is_scheduled_and_never_stands_in_a_pull_requests_way() -> None:
    workflow = yaml.safe_load((WORKFLOWS / "links.yml").read_text("utf-8"))
    triggers = workflow[True]  # YAML 1.1에서 on은 참이다
    assert set(triggers) == {"schedule", "workflow_dispatch"}
    (schedule,) = triggers["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", schedule["cron"])
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    (check,) = [step for step in job["steps"] if step.get("uses", "").startswith("lycheeverse/lychee-action@")]
    assert check["with"]["fail"] is True
    assert {"403", "429"} <= set(re.search(r"--accept (\S+)", check["with"]["args"])[1].split(","))
    assert "--max-retries" in check["with"]["args"]
    built = [step.get("run") for step in job["steps"]].index("make build")
    assert built < job["steps"].index(check)


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_pins_what_it_uses(workflow: Path) -> None:
    uses = re.findall(r"uses: (.*)", workflow.read_text("utf-8"))
    assert uses
    for each in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
