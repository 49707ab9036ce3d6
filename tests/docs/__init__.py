"""Every command and every piece of Python in docs/ and in the README, run or at least understood.

In a page, a block of commands is fenced as ```console, each command after `$ `; what it prints may follow.
Python is fenced as ```python. Everything is run, page by page and in order, in a folder that has what
`world.py` says, unless a comment just above the fence says otherwise, which no reader of the page sees:

    <!-- tested: not run, needs a probe -->
    <!-- tested: with --users 2 -->                     words that the test adds
    <!-- tested:
    psog train: not run, minutes of training            of the commands that begin so
    psog bound ring16 grid15: with --users 2
    psog virtual: stopped, it runs until Ctrl-C         which comes as soon as it has printed something
    /dev/ttyACM0 is $PORT                               words of the page, and what they are in the test
    first: psog simulate ring16 --out a --users 1       run before the block, in the test alone
    -->

Above Python stands `<!-- tested: given` and lines of Python that its readers have of their own, or `with a
headset` that `psog.connect()` finds. What is not run is parsed: verbs must exist, flags be accepted by the
real parser, and what is imported exist.
"""
