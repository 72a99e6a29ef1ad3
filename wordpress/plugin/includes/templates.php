<?php
/**
 * Finds and prints templates. A theme replaces one by having
 * `turnout/<name>.php`.
 *
 * @package Turnout
 */

namespace Turnout;

/**
 * Prints a template.
 *
 * @param string               $name      Name without `.php`.
 * @param array<string, mixed> $arguments Read as `$args` in the template.
 */
function render( string $name, array $arguments = array() ): void {
	$themed = locate_template( "turnout/$name.php" );
	load_template( '' !== $themed ? $themed : dirname( __DIR__ ) . "/templates/$name.php", false, $arguments );
}
