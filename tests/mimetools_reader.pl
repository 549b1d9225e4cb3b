# mimetools_reader.pl FILE…: the contents that MIME-tools takes out of each mail: "F FILE", then a line of hexadecimal for each.
use strict; use warnings;
use MIME::Parser;
sub leaves {
  my ($part) = @_;
  return map { leaves($_) } $part->parts if $part->parts;
  my $body = $part->bodyhandle or return ();
  return ($body->as_string);
}
for my $file (@ARGV) {
  print "F $file\n";
  my $parser = MIME::Parser->new;
  $parser->output_to_core(1); $parser->tmp_to_core(1); $parser->extract_uuencode(1);
  my $mail = eval { local $SIG{__WARN__} = sub {}; $parser->parse_open($file) } or next;
  print unpack("H*", $_), "\n" for leaves($mail);
}
