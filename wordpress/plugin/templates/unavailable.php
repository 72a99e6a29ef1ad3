<?php
/**
 * Shown with status 503 when there are no plans to show.
 *
 * @package Turnout
 */

namespace Turnout;

get_header();
?>
<div class="page-head">
	<h1><?php esc_html_e( 'Back in a moment', 'turnout' ); ?></h1>
	<p class="lead"><?php esc_html_e( 'Our plans are taking a short break. Please try again in a minute; nothing is wrong on your side.', 'turnout' ); ?></p>
</div>
<p><a class="button" href=""><?php esc_html_e( 'Try again', 'turnout' ); ?></a></p>
<?php
get_footer();
