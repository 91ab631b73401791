/* Intrusive doubly linked list: the node lives in the object, a head is a node linked to itself. */
#ifndef AMPGATE_BASE_LIST_H
#define AMPGATE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return !l->next || l->next == l;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

/* Also fine for a zeroed or already removed node. */
static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = node;
}

#define LIST_ITEM(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))
#define LIST_TOP(head, type, member) (list_empty(head) ? NULL : LIST_ITEM((head)->next, type, member))

/* `it` may be removed inside the body. */
#define LIST_WALK(head, type, member, it)                                                                                            \
	for (type *it = LIST_ITEM((head)->next, type, member), *it##_next; &it->member != (head) && (it##_next = LIST_ITEM(it->member.next, type, member), 1); \
	     it = it##_next)

#endif
