from coroguard.testing import GuardedAsyncTestCase


class HealthTest(GuardedAsyncTestCase):
    async def test_health(self):
        self.assertEqual(1 + 1, 2)  # and fails if the test leaks a coroutine
