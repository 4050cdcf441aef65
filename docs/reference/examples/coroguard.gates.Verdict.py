from coroguard.gates import Verdict

assert Verdict("INCOMPLETE") is not Verdict.PASSED
