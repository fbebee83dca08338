"""Builds libfuzzer_loader with clang++ and runs it for a while on the shipped networks and the samples of this folder.

usage: libfuzzer.py SOURCE_FOLDER BUILD_FOLDER [SECONDS]

Exit codes: 0 fine, 1 a finding (the input that shows it is named), 77 skipped: there is no clang++ with libFuzzer.
By hand: libfuzzer.py . build 3600; what it finds to be new lies in BUILD_FOLDER/corpus and is used again.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-std=c++20", "-O0", "-gline-tables-only", "-fno-omit-frame-pointer", "-ffp-contract=off", "-DNDEBUG"]
AT_ONCE = 8
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def main():
    source, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    seconds = sys.argv[3] if len(sys.argv) > 3 else "10"
    clang = shutil.which("clang++")
    if not clang:
        skip("there is no clang++ (Debian: clang)")
    with tempfile.TemporaryDirectory() as folder:
        probe = pathlib.Path(folder) / "probe.cpp"
        probe.write_text('#include <cstdint>\n#include <cstddef>\nextern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }\n')
        made = subprocess.run([clang, "-fsanitize=fuzzer", str(probe), "-o", str(probe) + ".out"], capture_output=True, text=True)
        if made.returncode != 0:
            skip("clang++ has no libFuzzer (Debian: libclang-rt-14-dev)")

    build.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{source}/engine", f"-I{source}/engine/include", f"-I{source}/tests"]
    # The loader and all it is made of, watched by libFuzzer; libraries as they are.
    # Most of the time goes into headers: several files of network/ are compiled as one.
    network = sorted((source / "engine/network").glob("*.cpp"))
    files = sorted((source / "engine/connect").glob("*.cpp"))
    for first in range(0, len(network), AT_ONCE):
        together = build / f"network_{first // AT_ONCE}.cpp"
        together.write_text("".join(f'#include "{file}"\n' for file in network[first:first + AT_ONCE]))
        files.append(together)
    files += [source / "engine/layers/curves.cpp", build.parent / "connection_rules.cpp", source / "tests/fuzz/libfuzzer_loader.cpp"]  # the first: made by CMake
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []

    def compile_one(file):
        target = build / f"{file.parent.name}_{file.stem}.o"
        command = [*launcher, clang, *FLAGS, *SANITIZE, "-fsanitize=fuzzer-no-link", *includes, "-c", str(file), "-o", str(target)]
        made = subprocess.run(command, capture_output=True, text=True)
        return target, made.returncode, made.stderr

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, files))
    for target, code, text in objects:
        if code != 0:
            sys.exit(f"{target}: {text}")
    program = build / "libfuzzer_loader"
    subprocess.run([clang, *SANITIZE, "-fsanitize=fuzzer", *(str(o[0]) for o in objects), "-o", str(program), "-lyaml-cpp", "-lfmt", "-ldl", "-lcrypto"], check=True)

    seeds, corpus = build / "seeds", build / "corpus"
    seeds.mkdir(exist_ok=True)
    corpus.mkdir(exist_ok=True)
    for pattern in ("networks/*/*.yaml", "tests/fuzz/*.yaml", "tests/errors/cases/*.yaml"):
        for file in source.glob(pattern):
            if file.stat().st_size < 8192:
                shutil.copy(file, seeds / "_".join(file.relative_to(source).parts))
    # A leak of libraries at exit is no finding of the loader's.
    run = subprocess.run([str(program), str(corpus), str(seeds), f"-dict={source}/tests/fuzz/network.dict", f"-max_total_time={seconds}", "-timeout=20",
                          "-rss_limit_mb=3000", "-max_len=8192", "-print_final_stats=1", f"-artifact_prefix={build}/"],
                         capture_output=True, text=True, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    text = run.stderr.splitlines()
    if run.returncode != 0:
        print("\n".join(text[-60:]))
        sys.exit(1)
    print("\n".join(line for line in text if line.startswith("stat::") or line.startswith("Done")))


main()
