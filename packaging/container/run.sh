#!/bin/sh
# Run pysane share in a rootless Podman container, scanners that are plugged in later included.
#
# The network is the host's: DNS-SD and clients' addresses are as without a container. /dev/bus/usb is
# mounted as a folder, so that devices which come later are there, too; the container's user may
# open them if the person who runs this may (keep-groups: group scanner, or plugdev).
set -eu
exec podman run --rm --name pysane-share \
    --network host \
    --userns keep-id:uid=900,gid=900 --group-add keep-groups \
    --volume /dev/bus/usb:/dev/bus/usb \
    --volume /run/avahi-daemon/socket:/run/avahi-daemon/socket \
    --volume /run/dbus/system_bus_socket:/run/dbus/system_bus_socket \
    --volume pysane-share:/var/lib/pysane-share \
    --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges \
    pysane-share "$@"
