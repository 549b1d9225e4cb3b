#!/usr/bin/perl
# What Mail::DeliveryStatus::BounceParser finds in a notification (Debian's libmail-deliverystatus-bounceparser-perl), a line a
# recipient: "ADDRESS STATUS-CODE REASON".
use strict;
use warnings;
use Mail::DeliveryStatus::BounceParser;

open my $file, '<', $ARGV[0] or die "$ARGV[0]: $!";
my $bounce = Mail::DeliveryStatus::BounceParser->new($file);
print $bounce->is_bounce ? "bounce\n" : "no bounce\n";
for my $report ($bounce->reports) {
  my @said = map { my $value = $report->get($_) // '-'; $value =~ s/\s+\z//; $value } qw(email smtp_code std_reason);
  print "@said\n";
}
