# What gscan2pdf does with Image::Sane: lists, opens, reads options and a page; then the next
# device after sane_exit without sane_init.
use strict;
use warnings;
use Image::Sane ':all';

for my $device (Image::Sane->get_devices) {
    print "$device->{name}|$device->{vendor}|$device->{model}|$device->{type}\n";
}
for my $name (@ARGV) {
    my $device = Image::Sane::Device->open($name);
    my ($count, $readable) = ($device->get_option(0), 0);
    for my $n (1 .. $count - 1) {
        my $option = $device->get_option_descriptor($n);
        if ($option->{name} eq 'mode') { $device->set_option($n, 'Color'); }
        if ($option->{name} eq 'resolution') { $device->set_option($n, 75); }
        next if $option->{cap} & SANE_CAP_INACTIVE or not $option->{cap} & SANE_CAP_SOFT_DETECT;
        next if not $option->{max_values} or $option->{type} == SANE_TYPE_BUTTON;
        $device->get_option($n);
        $readable++;
    }
    $device->start;
    my $params = $device->get_parameters;
    my $bytes = 0;
    while ($bytes < $params->{bytes_per_line} * $params->{lines}) {
        my ($data, $length) = $device->read(32768);
        $bytes += $length;
    }
    $device->cancel;
    print "$name: $count options, $readable read, $bytes bytes\n";
    undef $device;
    Image::Sane::_exit();
}
