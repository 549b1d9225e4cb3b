# For tests of DANE: certificates of an authority of our own, their TLSA data, zones signed with keys that $T/anchors has. Behind
# tests/nsd.sh.
need openssl ldns-keygen ldns-signzone
CERTS=$T/certs

certificate_key() {  # FILE
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null || fail "make a key"
}
# authority NAME: $CERTS/NAME.crt and NAME.key.
authority() {
  mkdir -p "$CERTS"
  certificate_key "$CERTS/$1.key"
  openssl req -x509 -new -key "$CERTS/$1.key" -subj "/CN=authority $1" -days 30 -out "$CERTS/$1.crt" 2> /dev/null || fail "make an authority"
}
# certificate NAME AUTHORITY DAYS DNS-NAME…: $CERTS/NAME.crt (its own certificate), NAME.pem (with chain and key); expired where DAYS is
# below 0.
certificate() {
  local name=$1 authority=$2 days=$3 dns names=
  shift 3
  for dns; do names+=${names:+,}DNS:$dns; done
  certificate_key "$CERTS/$name.key"
  openssl req -new -key "$CERTS/$name.key" -subj "/CN=server $name" 2> /dev/null |
    openssl x509 -req -CA "$CERTS/$authority.crt" -CAkey "$CERTS/$authority.key" -CAcreateserial -days "$days" \
      -extfile <(echo "subjectAltName=$names") -out "$CERTS/$name.crt" 2> /dev/null || fail "make a certificate"
  cat "$CERTS/$name.crt" "$CERTS/$authority.crt" "$CERTS/$name.key" > "$CERTS/$name.pem"
}
certificate_bytes() {  # NAME SELECTOR
  if [ "$2" = 0 ]; then
    openssl x509 -in "$CERTS/$1.crt" -outform DER
  else
    openssl x509 -in "$CERTS/$1.crt" -pubkey -noout | openssl pkey -pubin -outform DER
  fi
}
# tlsa NAME USAGE SELECTOR MATCHING: the data of a TLSA record for that certificate.
tlsa() {
  printf '%s %s %s ' "$2" "$3" "$4"
  case $4 in
    0) certificate_bytes "$1" "$3" | od -An -v -tx1 | tr -d ' \n' ;;
    1) certificate_bytes "$1" "$3" | sha256sum | cut -d' ' -f1 ;;
    2) certificate_bytes "$1" "$3" | sha512sum | cut -d' ' -f1 ;;
  esac
}
# signed_zone NAME [SED-SCRIPT [OPTION of ldns-signzone…]] < records: as zone, signed and then damaged as the script says.
signed_zone() {
  local name=$1 script=${2:-} key
  shift $(($# < 2 ? $# : 2))
  zone "$name"
  (cd "$T/zones" && key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$name") && ldns-signzone "$@" "$name" "$key" &&
    sed -i "$script" "$name.signed" && cat "$key.key" >> "$T/anchors") || fail "sign $name"
}
# one_host NAME ADDRESS [TLSA-DATA]…: a signed zone of one mail host and its TLSA records for port $PORT.
one_host() {
  local name=$1 address=$2 data
  shift 2
  {
    printf '@ MX 10 mx\nmx A %s\n' "$address"
    for data; do printf '_%s._tcp.mx TLSA %s\n' "$PORT" "$data"; done
  } | signed_zone "$name"
}
# dane_world: servers on $PORT of 127.0.0.2 (certificate "right"), .3 (expired), .4 (no STARTTLS) and .5 ("other"), their logs
# $T/server.2 to .5, and a zone for each row of the table in doc/INTERNALS.md. $DANE_ROWS says, for each domain, what DANE comes to and what
# becomes of a delivery: tls, plain, or wait.
dane_world() {
  local TLSA_OWNER
  PORT=$(free_port)
  authority ca
  certificate right ca 30 mx.ta.test domta.test mx.ok.test mx.t200.test mx.t210.test mx.t211.test mx.t202.test
  certificate old ca -1 mx.expiredee.test mx.expiredta.test
  certificate other ca 30 mx.other.test
  TLSA_OWNER=_$PORT._tcp
  local right other
  right=$(tlsa right 3 1 1)
  other=$(tlsa other 3 1 1)
  # What is secure and usable, and fits or not.
  one_host ok.test 127.0.0.2 "$right"
  one_host wrong.test 127.0.0.2 "$other"
  one_host roll.test 127.0.0.2 "$other" "$right"
  one_host mixed.test 127.0.0.2 "1 1 1 ${right##* }" "$right" "3 1 1 00"
  one_host agile.test 127.0.0.2 "$right" "$(tlsa other 3 1 2)"
  one_host ta.test 127.0.0.2 "$(tlsa ca 2 0 1)"
  one_host domta.test 127.0.0.2 "$(tlsa ca 2 1 2)"
  one_host nameta.test 127.0.0.2 "$(tlsa ca 2 0 1)"
  one_host expiredee.test 127.0.0.3 "$(tlsa old 3 1 1)"
  one_host expiredta.test 127.0.0.3 "$(tlsa ca 2 0 1)"
  one_host stripped.test 127.0.0.4 "$right"
  # Each selector and matching type.
  local form forms=
  for form in 3:0:0 3:0:1 3:0:2 3:1:0 3:1:2 2:0:0 2:1:0 2:1:1 2:0:2; do
    # shellcheck disable=SC2086 # three words
    one_host "t${form//:/}.test" 127.0.0.2 "$(tlsa "$([ ${form%%:*} = 2 ] && echo ca || echo right)" ${form//:/ })"
    forms+=" t${form//:/}:usable:tls"
  done
  # Records that cannot be used, and none.
  one_host unusable.test 127.0.0.5 "1 1 1 ${right##* }" "3 1 1 00" "0 0 1 ${right##* }" "3 5 1 ${right##* }"
  one_host unusableplain.test 127.0.0.4 "1 1 1 ${right##* }"
  one_host absent.test 127.0.0.4
  # Insecure: the zone has a record that fits nobody, so that whoever asked for it would be seen.
  { printf '@ MX 10 mx.wrong.test.\nmx A 127.0.0.4\nten A 127.0.0.2\n'; printf '%s.%s TLSA %s\n' "$TLSA_OWNER" mx "$other" "$TLSA_OWNER" ten "$other"; } | zone plain.test
  printf '@ MX 10 mx.plain.test.\n' | signed_zone insecurehost.test
  printf '@ MX 10 mx\nmx A 127.0.0.2\n%s.mx CNAME %s.mx.plain.test.\n' "$TLSA_OWNER" "$TLSA_OWNER" | signed_zone insecuretlsa.test
  # Bogus, and no answer.
  printf '@ MX 10 mx.ok.test.\n' | signed_zone bogusmx.test '' -i 20200101000000 -e 20200201000000
  printf '@ MX 10 mx\nmx A 127.0.0.2\n' | signed_zone bogushost.test 's/127\.0\.0\.2/127.0.0.4/'
  printf '@ MX 10 mx\nmx A 127.0.0.2\n%s.mx TLSA %s\n' "$TLSA_OWNER" "$other" | signed_zone bogustlsa.test "s/${other##* }/${right##* }/"
  printf '@ MX 10 mx\nmx A 127.0.0.2\n%s.mx CNAME tlsa.nobody-serves.test.\n' "$TLSA_OWNER" | signed_zone failedtlsa.test
  printf '@ MX 10 mx.nobody-serves.test.\n' | signed_zone failedhost.test
  printf '@ MX 10 mx.bogustlsa.test.\n@ MX 20 mx.bogushost.test.\n@ MX 30 mx.wrong.test.\n@ MX 40 mx.ok.test.\n' | signed_zone skips.test
  # CNAMEs, no MX.
  printf '@ MX 10 alias\nalias CNAME mx.ok.test.\n%s.alias TLSA %s\n' "$TLSA_OWNER" "$other" | signed_zone cname.test
  printf '@ MX 10 alias\nalias CNAME mx.quiet.test.\n%s.alias TLSA %s\n' "$TLSA_OWNER" "$right" | signed_zone cnameown.test
  printf 'mx A 127.0.0.2\n' | signed_zone quiet.test
  printf '@ MX 10 alias\nalias CNAME ten.plain.test.\n%s.alias TLSA %s\n' "$TLSA_OWNER" "$right" | signed_zone cnameinsecure.test
  printf '@ A 127.0.0.2\n%s TLSA %s\n' "$TLSA_OWNER" "$right" | signed_zone implicit.test
  DANE_ROWS="ok:usable:tls wrong:usable:wait roll:usable:tls mixed:usable:tls agile:usable:wait ta:usable:tls domta:usable:tls
    nameta:usable:wait expiredee:usable:tls expiredta:usable:wait stripped:usable:wait unusable:unusable:tls
    unusableplain:unusable:wait absent:absent:plain plain:not_applicable:tls insecurehost:not_applicable:plain
    insecuretlsa:not_applicable:tls bogusmx:-:wait bogushost:-:wait failedhost:-:wait bogustlsa:failed:wait failedtlsa:failed:wait
    skips:failed:tls cname:usable:tls cnameown:usable:tls cnameinsecure:usable:tls implicit:usable:tls$forms"
  start_nsd
  : > "$T/server.log"
  dane_server 2 right
  RIGHT=$LAST_PID
  dane_server 3 old
  dane_server 4
  dane_server 5 other
}
# dane_server NUMBER [CERTIFICATE]: on 127.0.0.NUMBER, its log $T/server.NUMBER.
dane_server() {
  : > "$T/server.$1"
  start server "$TESTS/smtp-server.py" "127.0.0.$1" "$PORT" "$T/server.$1" ${2:+"tls=$CERTS/$2.pem"}
  wait_for 30 grep -q listening "$T/server.$1"
}
# What the servers saw since the last call, a word each: "tls" and SNI of a handshake, "message".
servers_saw() {
  sed -n 's/^tls [^ ]* [^ ]* \([^ ]*\) .*/tls \1/p; s/^message .*/message/p; s/^tls failed.*/handshake-failed/p' "$T"/server.? | tr '\n' ' ' | sed 's/ $//'
  for log in "$T"/server.?; do : > "$log"; done
}
# dane_home: an instance whose deliveries go to those servers, and believe those zones.
dane_home() {
  make_home
  printf '127.0.0.%s\n' 2 3 4 5 > "$POSTERN_HOME/control/notipme"
  echo "$PORT" > "$POSTERN_HOME/control/remoteport"
  echo none > "$POSTERN_HOME/control/stsd"
  echo none > "$POSTERN_HOME/control/tlsrpt"
  cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
}
