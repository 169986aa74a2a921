#!/bin/bash
# Runs the tests of pyslurm on a real one: Debian testing's Slurm and pyslurm 25.11.2, below FOLDER; as root.
# usage: tests/slurm/real_pyslurm.sh FOLDER [pytest's arguments ...]
#
# pyslurm 25.11.2 wants Slurm 25.11, which no Debian release has. Slurm 26.05 has the same structures but takes a
# step id where 25.11 took a job's number: a copy of its header says so. pyslurm's old API is left out.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
root=$(mkdir -p "$1" && cd "$1" && pwd)/root
shift
version=25.11.2
mirror=$(apt-get indextargets --format '$(REPO_URI)' | sed -n 1p)

inside() {
  chroot "$root" env -i HOME=/root PATH=/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive "$@"
}

if [ ! -x "$root/usr/sbin/slurmctld" ]; then
  debootstrap --variant=minbase --include=ca-certificates forky "$root" "$mirror" /usr/share/debootstrap/scripts/sid
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no daemon starts by itself
  chmod 755 "$root/usr/sbin/policy-rc.d"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  inside apt-get -o Acquire::Check-Valid-Until=false install -y --no-install-recommends slurm-wlm slurm-client \
    slurm-wlm-basic-plugins libslurm-dev gcc libc6-dev python3-dev python3-venv
fi
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev/pts" || mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" # for !commands
trap 'umount "$root/dev/pts" "$root/proc"' EXIT

if ! inside /venv/bin/python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pyslurm") is None)' 2> /dev/null; then
  inside python3 -m venv /venv
  inside python -m pip install -q setuptools wheel packaging 'Cython>=3.1'
  rm -rf "$root/build" && mkdir -p "$root/build/include"
  inside sh -c "cd /build && python -m pip download -q --no-deps --no-build-isolation --no-binary pyslurm pyslurm==$version && tar xzf pyslurm-$version.tar.gz"
  cp -r "$root/usr/include/slurm" "$root/build/include/"
  sed -i 's/^#define SLURM_VERSION_NUMBER .*/#define SLURM_VERSION_NUMBER 0x190b02/' "$root/build/include/slurm/slurm_version.h"
  cat >> "$root/build/include/slurm/slurm.h" << 'SHIM'
#ifndef SHIM_25_11
#define SHIM_25_11
static inline slurm_step_id_t shim_id(uint32_t job_id)
{
	slurm_step_id_t id = SLURM_STEP_ID_INITIALIZER;
	id.job_id = job_id;
	return id;
}
#define slurm_load_job(out, id, flags) slurm_load_job((out), shim_id(id), (flags))
#define slurm_kill_job(id, signal, flags) slurm_kill_job(shim_id(id), (signal), (flags))
#define slurm_suspend(id) slurm_suspend(shim_id(id))
#define slurm_resume(id) slurm_resume(shim_id(id))
#define slurm_requeue(id, flags) slurm_requeue(shim_id(id), (flags))
#define slurm_notify_job(id, message) slurm_notify_job(shim_id(id), (message))
#define slurm_free_ctl_conf slurm_free_conf
#endif
SHIM
  rm "$root/build/pyslurm-$version/pyslurm/deprecated.pyx"
  sed -i '/deprecated/d' "$root/build/pyslurm-$version/pyslurm/__init__.py"
  inside env SLURM_INCLUDE_DIR=/build/include SLURM_LIB_DIR="/usr/lib/$(inside gcc -print-multiarch)" CFLAGS='-O1 -g0' \
    PYSLURM_BUILD_JOBS=2 nice python -m pip install -q --no-build-isolation "/build/pyslurm-$version"
fi

rm -rf "$root/src" && mkdir "$root/src"
git -C "$source" ls-files -z -co --exclude-standard | tar -C "$source" --null -T - -cf - | tar -C "$root/src" -xf -
inside sh -c 'cd /src && python -m pip install -q pip -U && python -m pip install -q -e . --group test'
[ $# -gt 0 ] || set -- tests/contract tests/faults/test_pyslurm.py
inside sh -c 'cd /src && JUPYTER_HPC_TEST_TARGETS=slurm-pyslurm exec python -m pytest "$@"' pytest "$@"
