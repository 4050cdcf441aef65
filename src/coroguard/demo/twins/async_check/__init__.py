"""What if the other team's health check is a coroutine function of the same name?"""
