#!/bin/sh
# fails: ends-by-itself
# It ends by a signal.
kill -SEGV $$
