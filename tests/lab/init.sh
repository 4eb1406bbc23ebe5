#!/bin/busybox sh
# The guest's first process: loads modules, mounts the shared folders, runs the job, ends the machine.
# QEMU is told to exit on reboot, which needs less of a kernel than powering off.
# /lab is in the initrd, /job is shared with the host. Each failure is one "lab-problem:" line.
export PATH=/usr/bin:/bin:/sbin:/usr/sbin

problem() {
  echo "lab-problem: $*"
  [ -f /job/job.sh ] && echo "$*" > /job/problem
  sync
  reboot -f
}
load() { # file [parameters]
  name=${1##*/}
  name=${name%.ko}
  [ -e "/sys/module/$(echo "$name" | tr - _)/initstate" ] && return
  error=$(insmod "$@" 2>&1) && return
  problem "cannot load $name: ${error##*: }: $(dmesg | tail -n 1 | sed 's/^\[[^]]*\] //')"
}
load_all() { # name [parameters]: what a module needs, then itself with the parameters
  wanted=$1
  shift
  # No list: it is built in, or this kernel does not have it.
  [ -f "/lab/order/$wanted" ] || return
  while read -r one <&3; do
    if [ "$one" = "$wanted" ]; then load "/lab/modules/$one.ko" "$@"; else load "/lab/modules/$one.ko"; fi
  done 3< "/lab/order/$wanted"
}
share() { # tag folder options
  mkdir -p "$2"
  mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2" 2> /dev/null ||
    problem "cannot mount the shared folder $1: CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO and CONFIG_VIRTIO_PCI are needed"
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2> /dev/null || problem "there is no devtmpfs: CONFIG_DEVTMPFS is needed"
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts 2> /dev/null
mount -t tmpfs -o mode=1777 tmpfs /dev/shm 2> /dev/null
mount -t tmpfs -o mode=1777 tmpfs /tmp || problem "there is no tmpfs: CONFIG_TMPFS is needed"
mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
ifconfig lo 127.0.0.1 up 2> /dev/null
hostname lab

while read -r name; do load_all "$name"; done < /lab/base
share job /job rw,cache=none
. /job/job.sh
share runtime /lab/runtime ro,cache=loose
share project "$LAB_PROJECT" ro,cache=loose
[ ! -f /job/deno.json ] || mount -o bind /job/deno.json "$LAB_PROJECT/deno.json"
share cache /lab/deno_cache ro,cache=loose
mkdir -p /tmp/.deno/upper /tmp/.deno/work /lab/deno_dir
chmod 700 /tmp/.deno
mount -t overlay -o lowerdir=/lab/deno_cache,upperdir=/tmp/.deno/upper,workdir=/tmp/.deno/work \
  overlay /lab/deno_dir 2> /dev/null || problem "there is no overlay: CONFIG_OVERLAY_FS is needed"

while read -r name parameters; do
  # shellcheck disable=SC2086 # the parameters are words of their own
  load_all "$name" $parameters
done < /job/load
while read -r file parameters; do
  # shellcheck disable=SC2086 # as above
  load "/job/modules/$file" $parameters
done < /job/own

[ -e /dev/vfio/vfio ] || problem "there is no /dev/vfio/vfio: CONFIG_VFIO is needed"
for entry in $LAB_BIND; do
  device=${entry%@*}
  driver=vfio-pci
  [ "$device" = "$entry" ] || driver=${entry#*@}
  folder=/sys/bus/pci/devices/$device
  [ -e "$folder" ] || problem "there is no device $device"
  [ -e "$folder/iommu_group" ] ||
    problem "$device has no IOMMU group: CONFIG_INTEL_IOMMU and intel_iommu=on are needed"
  echo "$driver" > "$folder/driver_override"
  [ -e "$folder/driver" ] && echo "$device" > "$folder/driver/unbind"
  echo "$device" > /sys/bus/pci/drivers_probe
  [ -e "$folder/driver" ] || problem "$driver does not bind $device: CONFIG_VFIO_PCI is needed"
done
for entry in $LAB_MDEVS; do
  type=/sys/devices/virtual/pinscope_vendor/pinscope_vendor/mdev_supported_types/pinscope_vendor-${entry#*@}
  echo "${entry%@*}" > "$type/create" || problem "cannot make the mediated device $entry"
done
if [ "$LAB_UID" != 0 ]; then
  for node in /dev/vfio/[0-9]*; do chown "$LAB_UID:$LAB_UID" "$node"; done
fi

export HOME=/tmp TMPDIR=/tmp LANG=C.UTF-8
# A shell has a terminal, whose user says whether colours are wanted.
[ -n "$LAB_SHELL" ] || export NO_COLOR=1
export DENO_DIR=/lab/deno_dir DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
export PINSCOPE_LAB=1 PINSCOPE_LAB_PROFILE="$LAB_PROFILE"
cat > /usr/bin/pinscope << END
#!/bin/busybox sh
exec deno run --quiet --cached-only --no-check --no-lock -A "$LAB_PROJECT/cli/main.ts" "\$@"
END
chmod 755 /usr/bin/pinscope
cd "$LAB_FOLDER" || problem "there is no folder $LAB_FOLDER in the project"
dmesg -n 1
echo "lab-start"
if [ -n "$LAB_SHELL" ]; then
  stty rows "$LAB_ROWS" cols "$LAB_COLUMNS" 2> /dev/null
  setsid cttyhack sh /job/command.sh
else
  sh /job/command.sh < /dev/null > /job/stdout 2> /job/stderr
fi
status=$?
dmesg | grep -E "WARNING:|BUG:|UBSAN:|KASAN:|INFO: .*(blocked|detected)|unknown parameter '" > /job/warnings
uname -r > /job/release
echo "$status" > /job/status.new
mv /job/status.new /job/status
sync
reboot -f
