# For the tests of postern-antivirus, after lib.sh.
# The EICAR file in two halves, so that no scanner finds it here.
EICAR='X5O!P%@AP[4\PZX54(P^)7CC)7}''$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'

# make_clamdb: one signature, the size and hash of clamav-testfiles' clam.exe, which all those files hold.
make_clamdb() {
  make_home
  mkdir -p "$T/db"
  echo 'aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File' > "$T/db/test.hdb"
  echo "$T/db" > "$POSTERN_HOME/control/clamdb"
}
# scan FILE [VAR=VALUE]…: the stage by hand; verdict in $T/verdict, log in $T/log, exit code is its own.
scan() {
  local file=$1; shift
  env "$@" "$B/postern-antivirus" < "$file" > "$T/verdict" 2> "$T/log"
}
TAB=$'\t'
