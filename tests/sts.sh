# For tests of MTA-STS and TLS reports, behind lib.sh and tls.sh: an HTTPS server with the policies of domains.

# make_sts_home: an instance's home with an authority, whose HTTPS port is $HTTPS_PORT on 127.0.0.2 and whose DNS is $T/dns.
make_sts_home() {
  [ -d "$POSTERN_HOME" ] || make_home
  make_authority
  mkdir -p "$POSTERN_HOME/db/sts" "$POSTERN_HOME/db/tlsrpt" "$T/www"
  HTTPS_PORT=$(free_port)
  echo "$HTTPS_PORT" > "$POSTERN_HOME/control/stsport"
  echo 127.0.0.2 > "$POSTERN_HOME/control/httpsinner"
  touch "$T/dns" "$T/www/log"
}
# web_host HOST [CERTIFICATE]: a host of the HTTPS server, with an address; its certificate is $T/CERTIFICATE.pem.
web_host() {
  local host=$1 certificate=${2:-}
  mkdir -p "$T/www/$host"
  [ -n "$certificate" ] || { certificate=web-$host; make_certificate "$certificate" 30 "$host"; }
  cp "$T/$certificate.pem" "$T/www/$host/pem"
  echo "$host A 127.0.0.2" >> "$T/dns"
}
# sts_domain DOMAIN ID MODE MX…: a domain with a policy; set_policy DOMAIN MODE MX…: its text anew.
set_policy() {
  local domain=$1 mode=$2 mx; shift 2
  { printf 'version: STSv1\r\nmode: %s\r\n' "$mode"
    for mx; do printf 'mx: %s\r\n' "$mx"; done
    printf 'max_age: %s\r\n' "${MAX_AGE:-604800}"; } > "$T/www/mta-sts.$domain/body"
}
set_id() { sed -i "/^_mta-sts\.$1 /d" "$T/dns"; [ -z "${2:-}" ] || echo "_mta-sts.$1 TXT \"v=STSv1; id=$2;\"" >> "$T/dns"; }
sts_domain() {
  local domain=$1 id=$2; shift 2
  web_host "mta-sts.$domain"
  set_id "$domain" "$id"
  set_policy "$domain" "$@"
}
start_https() {
  start https python3 "$TESTS/https-server.py" 127.0.0.2 "$HTTPS_PORT" "$T/www"
  HTTPS_PID=$LAST_PID
  wait_for 30 listening "$HTTPS_PORT" 127.0.0.2
}
stop_https() { kill "$HTTPS_PID"; wait "$HTTPS_PID" 2> /dev/null; return 0; }
# fetches DOMAIN: how often its policy was asked for.
fetches() { grep -c "^mta-sts.$1 GET /.well-known/mta-sts.txt\$" "$T/www/log"; }
# policy DOMAIN: what postern-stsd says, by hand; answer_line WORD: the value behind it in the last answer.
policy() { "$B/postern-stsd" --dns "$T/dns" policy "$1" > "$T/answer" 2>> "$T/stsd.log" || fail "postern-stsd: $?"; }
answer_line() { sed -n "s/^$1 //p" "$T/answer" | tr '\n' ' ' | sed 's/ $//'; }
# age_policy DOMAIN SECONDS: as if it had been fetched, and its fetch tried, so long ago.
age_policy() {
  local file=$POSTERN_HOME/db/sts/$1 when=$(($(date +%s) - $2))
  sed -i "s/^fetched .*/fetched $when/; s/^tried .*/tried $when/" "$file"
}
