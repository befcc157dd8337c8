import type { Context, Middleware } from 'grammy'

/** Whether a user may give admin commands. */
export type IsAdmin = (userId: number | undefined) => boolean

export const createIsAdmin =
  (adminIds: readonly number[]): IsAdmin =>
  (userId) =>
    userId !== undefined && adminIds.includes(userId)

/** Lets admins pass and tells everybody else their own id, which is all they need to ask for access. */
export const adminsOnly =
  (isAdmin: IsAdmin): Middleware =>
  async (context, next) => {
    if (isAdmin(context.from?.id)) await next()
    else await refuse(context)
  }

/** The answer to a stranger. Reveals nothing. */
export async function refuse(context: Context): Promise<void> {
  const id = context.from?.id
  await context.reply(`This is for admins only. Your id is ${id ?? 'unknown'}: an admin can add it to ADMIN_IDS.`)
}

/** How a sweep's report names whoever gave the command or pressed the button. */
export const byWhom = (context: Context) => ({
  trigger: 'command' as const,
  by: String(context.from?.id ?? 'unknown'),
})
