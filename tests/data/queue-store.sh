#!/bin/sh
# A queue program for tests: refuses by subject, and keeps whatever it takes in $STORE as MID.message and MID.envelope
# (the extras of descriptor 5 behind it). PATH and POSTERN_* are all that it gets, so STORE stands in $POSTERN_HOME.
store=$POSTERN_HOME/store
cat > "$store/$POSTERN_MID.part"
case $(sed -n 's/^Subject: //p; /^$/q' "$store/$POSTERN_MID.part" | head -n1) in
  bad*) echo "D554 5.7.1 no thanks" >&6; code=82 ;;
  later*) echo "Z451 4.7.1 later" >&6; code=82 ;;
  "exit "*) code=$(sed -n 's/^Subject: exit //p' "$store/$POSTERN_MID.part" | head -n1) ;;
  *) code=0 ;;
esac
if [ "$code" != 0 ]; then
  rm -f "$store/$POSTERN_MID.part"
  exit "$code"
fi
exec 3<&1 > "$store/$POSTERN_MID.envelope"
cat <&3
if [ "$POSTERN_EXTRAS" = 5 ]; then cat <&5; fi
env > "$store/$POSTERN_MID.environment"
mv "$store/$POSTERN_MID.part" "$store/$POSTERN_MID.message"
