"""다른 곳으로 가는 링크: 한 주에 한 번만 묻고, 물을 주소는 반듯하다."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urldefrag, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.site.conftest import SITE

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
TRACKING = re.compile(r"utm_\w+|fbclid|gclid|igshid|mc_eid|ref_src|si")


def external() -> Counter[str]:
    """사이트의 모든 페이지에서 다른 곳으로 가는 주소."""
    found: Counter[str] = Counter()
    for path in SITE.rglob("*.html"):
        links = BeautifulSoup(path.read_text("utf-8"), "html.parser").select("a[href]")
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
