from coroguard.testing import GuardedTestCase


class HealthTest(GuardedTestCase):
    def test_health(self):
        self.assertEqual(1 + 1, 2)  # and fails if the test leaks a coroutine
