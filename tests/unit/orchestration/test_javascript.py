"""The configuration of Playwright and Cypress as people write it: wrapped, and back to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.orchestration import block
from crossbridge.orchestration.javascript import Unwrappable, unwrapped, wrapped

MODULE = "./crossbridge/playwright/config.cjs"
HEADS = (
    "",
    "// @ts-check\n",
    "/* eslint-disable */\n\n",
    "#!/usr/bin/env node\n",
    "import { defineConfig } from '@playwright/test'\n",
    'import { defineConfig, devices } from "@playwright/test";\nimport dotenv from "dotenv"; // größe\n',
    "import type { A } from './a';\nimport { b } from './b'; const c = {\n  d: 1,\n};\n\n",
    "import a, {\n  b,\n} from 'c';\n\ndotenv.config();\n",
)
EXPORTS = (
    "export default defineConfig({\n  testDir: './tests',\n  use: { ...devices['Desktop Chrome'] },\n});",
    "export default defineConfig({ retries: 2 })",
    "/** @type {import('@playwright/test').PlaywrightTestConfig} */\nexport default {\n\tretries: 1,\n} satisfies Config;",
    "const config: PlaywrightTestConfig = { workers: 4 };\nexport default config;",
    "export default /* ours */ { name: 'größe' } as Config // theirs",
    "export default process.env.CI ? { a: 1 } : { b: `${2}` };",
    "export default mergeConfig(a, (b));",
    "module.exports = { retries: 1 };",
    "const { defineConfig } = require('cypress');\nmodule.exports = defineConfig({ e2e: {} })",
    "exports = module.exports = {};\nmodule.exports = Object.assign({}, module.exports);",
)
ENDS = ("", "\n", "\n\n", "\n// end", "\nexport const other = 1;\n")

sources = st.builds(
    lambda head, export, end, newline, bom: bom + (head + export + end).replace("\n", newline).encode(),
    st.sampled_from(HEADS),
    st.sampled_from(EXPORTS),
    st.sampled_from(ENDS),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from((b"", b"\xef\xbb\xbf")),
)


@given(sources)
def test_wrapped_then_unwrapped_gives_back_every_byte(source):
    once = wrapped(source, MODULE)
    assert once.count(b"withCrossbridge") == (1 if b"module.exports" in source else 2)
    assert wrapped(once, MODULE) == once
    assert unwrapped(once) == source


def test_only_the_exported_value_and_an_import_are_new():
    source = b"import { defineConfig } from '@playwright/test';\n\nexport default defineConfig({\n  retries: 1,\n});\n"
    assert wrapped(source, MODULE).decode().splitlines() == [
        "import { defineConfig } from '@playwright/test';",
        block.SLASHES.added.decode(),
        "import { withCrossbridge } from './crossbridge/playwright/config.cjs';",
        block.SLASHES.end.decode(),
        "",
        "export default withCrossbridge(defineConfig({",
        "  retries: 1,",
        "}));",
    ]


def test_what_a_formatter_has_made_of_it_is_known_and_taken_out():
    source = b"import a from 'a';\nexport default a;\n"
    once = wrapped(source, MODULE)
    formatted = once.replace(b"withCrossbridge(a)", b"withCrossbridge(\n  a,\n)")
    assert formatted != once
    assert wrapped(formatted, MODULE) == formatted
    assert unwrapped(formatted) == source


def test_what_somebody_has_unwrapped_is_wrapped_again():
    source = b"import a from 'a';\nexport default a;\n"
    once = wrapped(source, MODULE)
    assert wrapped(once.replace(b"withCrossbridge(a)", b"a"), MODULE) == once


def test_a_call_by_hand_is_left_alone():
    source = (
        f"import {{ withCrossbridge }} from '{MODULE}';\nexport default withCrossbridge({{}});\n".encode()
    )
    assert wrapped(source, MODULE) == source
    assert unwrapped(source) == source


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"export default {", "cannot be parsed"),
        ("export default {};".encode("utf-16"), "cannot be parsed"),
        (b"export default function () {}", "exports a function or class"),
        (b"export default class {}", "exports a function or class"),
        (b"const a = {};\nexport { a as default };", "exports nothing by"),
        (b"export = {};", "exports nothing by"),
        (b"", "exports nothing by"),
        (
            b"const withCrossbridge = 1;\nexport default {};",
            "gives the name withCrossbridge to something else",
        ),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(source, reason):
    with pytest.raises(Unwrappable, match=reason):
        wrapped(source, MODULE)


def test_a_use_of_their_own_is_not_torn_out():
    once = wrapped(b"import a from 'a';\nexport default a;\n", MODULE)
    with pytest.raises(Unwrappable, match="in a way that 'crossbridge init' did not write"):
        unwrapped(once.replace(b"withCrossbridge(a)", b"{ ...withCrossbridge(a) }"))
