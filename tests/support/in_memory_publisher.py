"""A Publisher that keeps its messages in memory: the port's other implementation, for tests of the engine."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from engine.publisher import Message, WireUnavailable


class InMemoryPublisher:
    """Messages in the order they were sent; can be cut, and can lose everything."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.cut = False

    def publish(self, messages: Sequence[Message]) -> None:
        """Keep these messages."""
        if self.cut:
            raise WireUnavailable("the wire is cut")
        self.messages.extend(messages)

    def depths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Messages kept for each queue."""
        if self.cut:
            raise WireUnavailable("the wire is cut")
        counted = Counter(message.queue for message in self.messages)
        return {queue: counted[queue] for queue in queues}

    def lose_everything(self) -> int:
        """Forget every message; how many there were."""
        lost = len(self.messages)
        self.messages.clear()
        return lost

    def deliver(self, execute: Callable[[Message], None], *, times: int = 1) -> int:
        """Hand every message over, and what is sent meanwhile; how many there were."""
        delivered = 0
        while self.messages:
            message = self.messages.popleft()
            for _ in range(times):
                execute(message)
            delivered += 1
        return delivered
