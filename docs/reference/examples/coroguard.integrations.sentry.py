from coroguard.integrations import sentry

uninstall = sentry.install()  # after sentry_sdk.init()
uninstall()
