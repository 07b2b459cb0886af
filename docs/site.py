"""What mkdocs does not do by itself: the documents beside docs/ are pages of the site too."""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {"bench/README.md": "bench.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents that lie beside docs/."""
    for path, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links over the edge of docs/ to where the site has their page."""
    home = ROOT / next((path for path, name in PAGES.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")

    def inside(link: re.Match[str]) -> str:
        path = (home.parent / link[1]).resolve().relative_to(ROOT)
        on_site = PAGES.get(str(path)) or str(path.relative_to("docs"))
        return f"]({os.path.relpath(on_site, Path(page.file.src_uri).parent)}"

    return re.sub(r"\]\(((?:\.\./|docs/)[^)#]*)", inside, markdown)
