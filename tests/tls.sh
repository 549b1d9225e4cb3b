# For tests of TLS in remote, behind lib.sh: certificates of an authority of our own, in PEM with their keys.
. "$TESTS/remote.sh"

# key_and PURPOSE… : options of openssl for a new key without a passphrase.
openssl_quietly() { openssl "$@" 2>> "$T/openssl.log" || { cat "$T/openssl.log"; fail "openssl $*"; }; }
new_key() { openssl_quietly ecparam -name prime256v1 -genkey -noout -out "$1"; }

# The authority $T/ca.crt, which control/tlscapath knows.
make_authority() {
  need openssl
  new_key "$T/ca.key"
  openssl_quietly req -x509 -new -key "$T/ca.key" -out "$T/ca.crt" -days 3650 -subj "/CN=Authority"
  mkdir -p "$T/authorities"
  cp "$T/ca.crt" "$T/authorities/ca.pem"
  openssl_quietly rehash "$T/authorities"
  echo "$T/authorities" > "$POSTERN_HOME/control/tlscapath"
}

# make_certificate FILE DAYS NAME…: $T/FILE.pem, of the authority; DAYS below 0: expired.
make_certificate() {
  local file=$1 days=$2 names="" name; shift 2
  for name; do
    case $name in *[!0-9.]*) names="$names${names:+,}DNS:$name" ;; *) names="$names${names:+,}IP:$name" ;; esac
  done
  new_key "$T/$file.key"
  openssl_quietly req -new -key "$T/$file.key" -out "$T/$file.csr" -subj "/CN=$file"
  openssl_quietly x509 -req -in "$T/$file.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days "$days" \
    -extfile <(echo "subjectAltName=$names") -out "$T/$file.crt"
  cat "$T/$file.crt" "$T/$file.key" > "$T/$file.pem"
}
# make_self_signed FILE NAME: $T/FILE.pem, of nobody.
make_self_signed() {
  new_key "$T/$1.key"
  openssl_quietly req -x509 -new -key "$T/$1.key" -out "$T/$1.crt" -days 30 -subj "/CN=$1" -addext "subjectAltName=DNS:$2"
  cat "$T/$1.crt" "$T/$1.key" > "$T/$1.pem"
}

# level LINE: control/destinations has this line alone.
level() { echo "x.test $*" > "$POSTERN_HOME/control/destinations"; }
# What was said on the connections, in order: commands and handshakes.
conversation() { grep -E '^(< |tls [^f]|connect)' "$T/sink" | sed 's/ FROM.*//; s/ TO.*//; s/^< //' | tr '\n' ' '; }

# A home as make_remote_home makes it, with the authority and $T/right.pem, the certificate of x.test's mail host.
make_tls_home() {
  make_remote_home
  make_authority
  make_certificate right 30 mx.x.test
}
