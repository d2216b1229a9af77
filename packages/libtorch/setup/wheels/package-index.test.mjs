import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { serve, temporaryFolder } from "../fixtures.mjs";
import { HttpClient } from "./http.mjs";
import {
  chooseWheel,
  indexesToAsk,
  listFiles,
  parseIndexPage,
  parsePipConfiguration,
  pipSettings,
} from "./package-index.mjs";
import { parseRequirements } from "./requirements.mjs";

const BASE = new URL("https://index.example/simple/torch/");
const SHA = "0123456789abcdef".repeat(4);
const LINUX = { system: "linux", machine: "x86_64", release: [2, 36] };

/** @param {...string} names */
function files(...names) {
  return names.map((filename) => ({
    filename,
    url: new URL(filename, BASE),
    sha256: undefined,
    yanked: false,
  }));
}

test("an HTML page: relative links, hashes, entities, yanked files, awkward attributes", () => {
  const page = `<!DOCTYPE html><body>
    <a href="../../packages/torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl#sha256=${SHA}"
       data-requires-python=">=3.11">torch</a><br/>
    <a data-yanked="broken" href='https://files.example/torch-2.14.0%2Bcpu-cp311-cp311-linux_x86_64.whl?a=1&amp;b=2'>x</a>
    <a name="top">no link</a>`;
  expect(parseIndexPage(page, "text/html; charset=utf-8", BASE)).toEqual([
    {
      filename: "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl",
      url: new URL("https://index.example/packages/torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
      sha256: SHA,
      yanked: false,
    },
    {
      filename: "torch-2.14.0+cpu-cp311-cp311-linux_x86_64.whl",
      url: new URL("https://files.example/torch-2.14.0%2Bcpu-cp311-cp311-linux_x86_64.whl?a=1&b=2"),
      sha256: undefined,
      yanked: true,
    },
  ]);
});

test("a JSON page says the same", () => {
  const page = JSON.stringify({
    files: [
      { url: "/p/torch-2.15.0-cp311-cp311-any.whl", hashes: { sha256: SHA }, yanked: false },
      { url: "/p/torch-2.14.0-cp311-cp311-any.whl", hashes: {}, yanked: "broken" },
    ],
  });
  const type = "application/vnd.pypi.simple.v1+json";
  expect(
    parseIndexPage(page, type, BASE).map(({ url, sha256, yanked }) => [url.href, sha256, yanked]),
  ).toEqual([
    ["https://index.example/p/torch-2.15.0-cp311-cp311-any.whl", SHA, false],
    ["https://index.example/p/torch-2.14.0-cp311-cp311-any.whl", undefined, true],
  ]);
  expect(() => parseIndexPage("{}", type, BASE)).toThrow(/must list "files"/);
});

test("credentials of the index go to its own host only", () => {
  const page =
    '<a href="a-1-py3-none-any.whl">a</a> <a href="https://files.example/b-1-py3-none-any.whl">b</a>';
  const [own, other] = parseIndexPage(
    page,
    "text/html",
    new URL("https://me:secret@index.example/simple/a/"),
  );
  expect(own?.url.username).toBe("me");
  expect(other?.url.username).toBe("");
});

test("the newest stable wheel that runs here is chosen, whatever its Python tag", () => {
  const listed = files(
    "torch-2.9.1-cp310-cp310-manylinux_2_28_x86_64.whl",
    "torch-2.15.0-cp314-cp314t-manylinux_2_28_x86_64.whl",
    "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    "torch-2.15.0-cp311-cp311-manylinux_2_28_aarch64.whl",
    "torch-2.15.0.tar.gz",
    "torch-2.16.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "torch-2.17.0-cp311-cp311-manylinux_2_39_x86_64.whl",
    "torch-2.18.0-cp311-cp311-win_amd64.whl",
  );
  const yanked = files("torch-2.15.1-cp311-cp311-manylinux_2_28_x86_64.whl").map((file) => ({
    ...file,
    yanked: true,
  }));
  expect(chooseWheel([...listed, ...yanked], LINUX)?.filename).toBe(
    "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl",
  );
  expect(chooseWheel(listed, LINUX, "<2.10")?.versionText).toBe("2.9.1");
  expect(chooseWheel(listed, { ...LINUX, machine: "riscv64" })).toBeUndefined();
});

test("the index page is asked for under the project's normalised name", async () => {
  /** @type {(string | undefined)[]} */
  const asked = [];
  const url = await serve((request, response) => {
    asked.push(request.url);
    response.setHeader("content-type", "text/html");
    response.end('<a href="cuda_toolkit-13.2.2-py2.py3-none-any.whl">x</a>');
  });
  const index = { url: new URL("mirror/simple/", url), why: "test", timeoutMs: 5000 };
  const listed = await listFiles(new HttpClient(), index, "CUDA_Toolkit");
  expect(asked).toEqual(["/mirror/simple/cuda-toolkit/"]);
  expect(listed[0]?.url.pathname).toBe(
    "/mirror/simple/cuda-toolkit/cuda_toolkit-13.2.2-py2.py3-none-any.whl",
  );
});

test("pip.conf: sections, comments, spellings of a key", () => {
  const text = [
    "# comment",
    "[global]",
    "index-url = https://a.example/simple ",
    "; another",
    "CERT: /etc/ca.pem",
    "timeout=5",
    "find-links =",
    "    /wheels",
    "    # a comment",
    "    https://links.example/",
    "[install]",
    "index_url=https://b.example/simple?x=y",
    "[list]",
    "index-url = https://c.example",
  ].join("\r\n");
  expect(Object.fromEntries(parsePipConfiguration(text))).toEqual({
    "index-url": "https://b.example/simple?x=y",
    cert: "/etc/ca.pem",
    timeout: "5",
    "find-links": "/wheels https://links.example/",
  });
});

test("pip's settings: environment over PIP_CONFIG_FILE over the user's file", () => {
  const home = temporaryFolder();
  mkdirSync(join(home, ".config/pip"), { recursive: true });
  writeFileSync(join(home, ".config/pip/pip.conf"), "[global]\nindex-url = https://user.example/simple\n");
  const own = join(home, "own.conf");
  writeFileSync(own, "[global]\nindex-url = https://own.example/simple\ncert = /own.pem\n");

  expect(pipSettings({ HOME: home }).indexUrl).toBe("https://user.example/simple");
  expect(pipSettings({ HOME: home, PIP_CONFIG_FILE: own })).toMatchObject({
    indexUrl: "https://own.example/simple",
    certificateFile: "/own.pem",
    origin: own,
  });
  expect(pipSettings({ HOME: home, PIP_CONFIG_FILE: "/dev/null" }).indexUrl).toBeUndefined();
  expect(
    pipSettings({ HOME: home, PIP_CONFIG_FILE: own, PIP_INDEX_URL: "http://x.example/", PIP_CERT: "/y.pem" }),
  ).toMatchObject({ indexUrl: "http://x.example/", certificateFile: "/y.pem", origin: "PIP_INDEX_URL" });
});

test("a chosen index is the only one that is asked", () => {
  expect(indexesToAsk({ indexUrl: "http://x.example/simple", origin: "pip.conf" })).toHaveLength(1);
  expect(indexesToAsk({ indexUrl: undefined, origin: "" }).map(({ url }) => url.host)).toEqual([
    "download.pytorch.org",
    "pypi.org",
  ]);
});

test("requirements with extras, specifiers and markers; the description below is no part of them", () => {
  const metadata = [
    "Metadata-Version: 2.4",
    'Requires-Dist: cuda-toolkit[cublas, cudart]==13.2.2; platform_system == "Linux"',
    "Requires-Dist: nvidia_cuda_cupti==13.2.86.*; (sys_platform == 'linux') and extra == 'cupti'",
    "Requires-Dist: typing-extensions (>=4.13)",
    "",
    "Requires-Dist: not-this-one",
  ].join("\n");
  expect(parseRequirements(metadata)).toEqual([
    { name: "cuda-toolkit", extras: ["cublas", "cudart"], specifier: "==13.2.2", forExtra: undefined },
    { name: "nvidia-cuda-cupti", extras: [], specifier: "==13.2.86.*", forExtra: "cupti" },
    { name: "typing-extensions", extras: [], specifier: ">=4.13", forExtra: undefined },
  ]);
});

test("pip's find-links come first, and with no-index alone", () => {
  const folder = temporaryFolder();
  const env = { HOME: "/nonexistent", PIP_FIND_LINKS: `${folder} /missing https://links.example/all.html` };
  const asked = (/** @type {NodeJS.ProcessEnv} */ more) =>
    indexesToAsk(pipSettings({ ...env, ...more })).map(({ url }) => url.href);
  const links = [pathToFileURL(folder).href, "https://links.example/all.html"];
  expect(asked({})).toEqual([...links, "https://download.pytorch.org/whl/cpu", "https://pypi.org/simple"]);
  expect(asked({ PIP_INDEX_URL: "https://own.example/simple" })).toEqual([
    ...links,
    "https://own.example/simple",
  ]);
  // Here the folder that is missing is a reason why nothing was found.
  expect(asked({ PIP_NO_INDEX: "1" })).toEqual([links[0], "file:///missing", links[1]]);
});

test("a page of links, or a folder, lists the files of many projects", async () => {
  const names = ["torch-2.15.0-cp311-cp311-any.whl", "torch_geometric-2.6.0-py3-none-any.whl", "x.txt"];
  const url = await serve((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(names.map((name) => `<a href="files/${name}">x</a>`).join(""));
  });
  const links = { why: "x", timeoutMs: 1000, links: /** @type {const} */ (true) };
  const client = new HttpClient({ env: {} });
  const filenames = async (/** @type {URL} */ at, /** @type {string} */ project) =>
    (await listFiles(client, { url: at, ...links }, project)).map(({ filename }) => filename);
  expect(await filenames(url, "torch")).toEqual([names[0]]);
  const folder = temporaryFolder();
  for (const name of names) writeFileSync(join(folder, name), "");
  expect(await filenames(pathToFileURL(folder), "torch")).toEqual([names[0]]);
  expect(await filenames(pathToFileURL(folder), "torch-geometric")).toEqual([names[1]]);
});
