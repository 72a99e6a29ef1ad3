<?php
/**
 * The front page. Title, excerpt and text come from the page set as front page;
 * the plans come from the Turnout plugin.
 *
 * @package TernMobile
 */

namespace TernMobile;

/** How many plans the front page shows. */
const FEATURED_PLANS = 3;

$reasons = array(
	__( 'Leave when you like', 'tern-mobile' )   => __( 'Most plans run month to month. If we no longer suit you, one click ends it.', 'tern-mobile' ),
	__( 'At home abroad', 'tern-mobile' )        => __( 'Every plan has data for travelling. No day passes, no roaming bill.', 'tern-mobile' ),
	__( 'People who pick up', 'tern-mobile' )    => __( 'Call us and a person answers, usually within a minute.', 'tern-mobile' ),
);

$plans = function_exists( 'Turnout\plans' ) ? \Turnout\plans() : null;
// The popular ones first, then the cheapest.
$featured = $plans ?? array();
usort( $featured, static fn( array $a, array $b ): int => $b['popular'] <=> $a['popular'] );
$featured = array_slice( $featured, 0, FEATURED_PLANS );
usort( $featured, static fn( array $a, array $b ): int => $a['price'] <=> $b['price'] );

get_header();
the_post();
?>
<section class="hero">
	<div class="wrap hero__inner">
		<svg class="hero__birds" viewBox="0 0 330 260" preserveAspectRatio="xMaxYMid meet" aria-hidden="true" focusable="false">
			<g fill="currentColor">
				<path transform="translate(70 40) scale(4.6)" d="M1 4.5C12 4 20 8.5 24.5 15.5 30.5 8.5 38.5 4.5 49 6 41 8.5 35 13 31.5 19.5 29 24 24 27.5 16.5 31L20.5 25.5 12 27.5C17 24.5 19.8 21.5 20 18.8 16 12 10 7.5 1 4.5Z"/>
				<path transform="translate(18 176) scale(1.5)" d="M1 4.5C12 4 20 8.5 24.5 15.5 30.5 8.5 38.5 4.5 49 6 41 8.5 35 13 31.5 19.5 29 24 24 27.5 16.5 31L20.5 25.5 12 27.5C17 24.5 19.8 21.5 20 18.8 16 12 10 7.5 1 4.5Z"/>
				<path transform="translate(6 62) scale(.9)" d="M1 4.5C12 4 20 8.5 24.5 15.5 30.5 8.5 38.5 4.5 49 6 41 8.5 35 13 31.5 19.5 29 24 24 27.5 16.5 31L20.5 25.5 12 27.5C17 24.5 19.8 21.5 20 18.8 16 12 10 7.5 1 4.5Z"/>
			</g>
		</svg>
		<div class="hero__text">
			<h1><?php the_title(); ?></h1>
			<?php if ( has_excerpt() ) : ?>
				<p class="lead"><?php echo esc_html( get_the_excerpt() ); ?></p>
			<?php endif; ?>
			<a class="button button--light" href="<?php echo esc_url( path_to( '/plans' ) ); ?>"><?php esc_html_e( 'See plans', 'tern-mobile' ); ?></a>
		</div>
	</div>
</section>
<section class="section" aria-labelledby="featured">
	<div class="wrap">
		<div class="section__head">
			<h2 id="featured"><?php esc_html_e( 'Plans people choose', 'tern-mobile' ); ?></h2>
			<p><a href="<?php echo esc_url( path_to( '/plans' ) ); ?>"><?php esc_html_e( 'Compare all plans', 'tern-mobile' ); ?></a></p>
		</div>
		<?php if ( $featured ) : ?>
			<div class="plan-grid">
				<?php
				foreach ( $featured as $plan ) {
					\Turnout\render( 'plan-card', array( 'plan' => $plan, 'heading' => 3 ) );
				}
				?>
			</div>
		<?php else : ?>
			<p class="notice"><?php esc_html_e( 'Our plans are taking a short break. Please look again in a minute.', 'tern-mobile' ); ?></p>
		<?php endif; ?>
	</div>
</section>
<section class="section section--mist" aria-labelledby="reasons">
	<div class="wrap">
		<h2 id="reasons"><?php esc_html_e( 'Why people stay with Tern', 'tern-mobile' ); ?></h2>
		<ul class="reasons">
			<?php foreach ( $reasons as $title => $text ) : ?>
				<li>
					<h3><?php echo esc_html( $title ); ?></h3>
					<p><?php echo esc_html( $text ); ?></p>
				</li>
			<?php endforeach; ?>
		</ul>
	</div>
</section>
<?php if ( '' !== trim( get_the_content() ) ) : ?>
	<div class="section wrap prose"><?php the_content(); ?></div>
<?php endif; ?>
<?php
get_footer();
