#!/usr/bin/env bash
# A real Slurm of one node on loopback, in a throw-away folder: no systemd, no fixed place, no trace.
#
#   cluster.sh install     Debian's packages (root); nothing is started
#   cluster.sh start DIR   starts it and prints the line that points clients to it, for eval
#   cluster.sh stop DIR    cancels its jobs and ends its daemons; DIR may be removed then
#
# Accounting (sacct) is there as on a real cluster. The node pretends to have four GPUs: jobs are given
# their numbers, but nothing to compute on.
# DIR/tasks lists what every task of a job was given: job, step, CUDA_VISIBLE_DEVICES.
set -Eeuo pipefail
PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH" # the real srun, not that of another such cluster

install() {
  export DEBIAN_FRONTEND=noninteractive
  # packages start daemons by themselves; this is Debian's own way to say that they shall not
  local policy=/usr/sbin/policy-rc.d ours=
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && ours=1; }
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends munge slurm-wlm slurmdbd mariadb-server >/dev/null
  [ -z "$ours" ] || rm "$policy"
}

# Ports that nothing listens on; a Slurm that is already there is left alone.
free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PYTHON
}

write_configuration() {
  local dir=$1 host user cpus gpu
  host=$(hostname -s) user=$(id -un)
  cpus=$(nproc) && cpus=$((cpus < 4 ? 4 : cpus)) # one for each GPU, even where they must share
  read -r CONTROL NODE DATABASE RECORDS <<<"$(free_ports 4)"
  # Slurm numbers only what is a device; a link to one is enough, and needs no rights
  for gpu in 0 1 2 3; do ln -sfn /dev/null "$dir/gpu$gpu"; done
  echo "NodeName=$host Name=gpu File=$dir/gpu[0-3]" >"$dir/gres.conf"
  printf '#!/bin/sh\necho "$SLURM_JOB_ID $SLURM_STEP_ID ${CUDA_VISIBLE_DEVICES-}" >>%q\n' "$dir/tasks" >"$dir/prolog"
  chmod +x "$dir/prolog"
  # bookworm's daemons look for cgroups unless told not to
  echo "CgroupAutomount=no" >"$dir/cgroup.conf"
  cat >"$dir/slurm.conf" <<CONF
ClusterName=throwaway
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$CONTROL
SlurmdPort=$NODE
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageTRES=gres/gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$RECORDS
AccountingStoragePass=$dir/munge.socket
AccountingStoreFlags=job_comment
TaskProlog=$dir/prolog
ReturnToService=2
MinJobAge=300
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=32000 Gres=gpu:4 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

write_accounting_configuration() {
  touch "$1/slurmdbd.conf" && chmod 600 "$1/slurmdbd.conf" # it holds a password, and is refused otherwise
  cat >"$1/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$1/munge.socket
DbdHost=$(hostname -s)
DbdAddr=127.0.0.1
DbdPort=$RECORDS
SlurmUser=$(id -un)
LogFile=$1/slurmdbd.log
PidFile=$1/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$DATABASE
StorageUser=slurm
StoragePass=throwaway
CONF
}

# Waits until a command succeeds, for at most a minute; else shows the last words of its daemon.
await() {
  local what=$1 end=$((SECONDS + 60)) && shift
  until timeout 10 "$@" </dev/null >/dev/null 2>&1; do
    if ((SECONDS > end)); then
      echo "$what did not come up; its last words:" >&2
      tail -n 5 "$DIR/$what.log" >&2
      return 1
    fi
    sleep 0.2
  done
}

# snakemake-executor-plugin-slurm-jobstep takes every SLURM_ variable but a few away from the srun of a
# job, and SLURM_CONF with them; a cluster configured in /etc/slurm does not miss it, this one does.
wrap_srun() {
  printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$DIR/slurm.conf" "$(command -v srun)" >"$DIR/bin/srun"
  chmod +x "$DIR/bin/srun"
}

start_munge() {
  head -c 1024 /dev/urandom >"$DIR/munge.key" && chmod 400 "$DIR/munge.key"
  munged --force --socket="$DIR/munge.socket" --key-file="$DIR/munge.key" \
    --log-file="$DIR/munged.log" --pid-file="$DIR/munged.pid" --seed-file="$DIR/munge.seed"
  await munged munge --no-input --socket="$DIR/munge.socket"
}

start_accounting() {
  local client=(mariadb --no-defaults --socket="$DIR/mariadb.socket" --user="$(id -un)")
  mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$DIR/mariadb" \
    --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)" \
    --skip-test-db >"$DIR/mariadb.log" 2>&1
  mariadbd --no-defaults --user="$(id -un)" --datadir="$DIR/mariadb" --bind-address=127.0.0.1 \
    --port="$DATABASE" --socket="$DIR/mariadb.socket" --pid-file="$DIR/mariadb.pid" \
    --innodb-lock-wait-timeout=900 >>"$DIR/mariadb.log" 2>&1 &
  await mariadb "${client[@]}" -e "select 1"
  "${client[@]}" -e "grant all on slurm_acct_db.* to slurm@localhost identified by 'throwaway'"
  slurmdbd
  await slurmdbd sacctmgr --immediate add cluster throwaway
}

start() {
  DIR=$(realpath -m "$1")
  mkdir -p "$DIR/state" "$DIR/spool" "$DIR/mariadb" "$DIR/bin" && chmod 755 "$DIR"
  write_configuration "$DIR"
  write_accounting_configuration "$DIR"
  wrap_srun
  export SLURM_CONF="$DIR/slurm.conf"
  trap 'stop "$DIR"' ERR
  start_munge
  start_accounting
  slurmctld
  await slurmctld scontrol ping
  slurmd
  await slurmd srun --immediate=5 --gpus=1 --mem=10 true
  trap - ERR
  printf 'export SLURM_CONF=%q PATH=%q:"$PATH"\n' "$SLURM_CONF" "$DIR/bin"
}

# Ends the daemons of this folder and no others, and waits until they are gone.
stop() {
  local dir pid name
  dir=$(realpath -m "$1")
  SLURM_CONF="$dir/slurm.conf" timeout 10 scancel --user="$(id -un)" 2>/dev/null || true
  for name in slurmd slurmctld slurmdbd mariadb munged; do
    [ -s "$dir/$name.pid" ] || continue
    pid=$(cat "$dir/$name.pid")
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}

case "${1:-} $#" in
"install 1") install ;;
"start 2") start "$2" ;;
"stop 2") stop "$2" ;;
*)
  echo "usage: cluster.sh install | start DIR | stop DIR" >&2
  exit 2
  ;;
esac
