from coroguard import Event, subscribe


def count(event: Event) -> None:
    if event.leak is not None:
        print(event.leak.kind, event.guarded, event.action)


unsubscribe = subscribe(count)
unsubscribe()
