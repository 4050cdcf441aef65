"""What if the other team's health check truth-tests a coroutine?"""
